// Preloaded into every test process: sends `import … from 'uvu'` to the counted wrapper beside this file.
// The hook itself runs in Node's loader thread, which is why it is a module of its own given as a data address.
import { register } from 'node:module';

const wrapper = new URL('./uvu-counted.js', import.meta.url).href;
const hook = `
  const wrapper = ${JSON.stringify(wrapper)};
  export function resolve(specifier, context, next) {
    if (specifier === 'uvu' && context.parentURL !== wrapper) return { url: wrapper, format: 'module', shortCircuit: true };
    return next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
