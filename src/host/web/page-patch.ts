// A planned patch as what pages are sent: its module, and what their agents look at before they instantiate it.
import type { PatchImage } from '../../patch/image/image.js';
import { type InstanceTarget, instanceOf } from '../../patch/image/instance.js';
import type { PagePatch } from '../../patch/wire/page-frames.js';

/** The patch under its number, and the bytes that follow it in the frame. */
export function pagePatch(
  number: number,
  image: PatchImage,
  target: InstanceTarget,
): { readonly patch: PagePatch; readonly bytes: Uint8Array } {
  const { code, segments, slots: redirects } = image;
  if (code === null) throw new Error('internal: a patch whose code lies in memory');
  const names = new Map(code.functions.map(({ slot, name }) => [slot, name]));
  const slots = [
    ...code.functions.map(({ slot, name }) => ({ slot, name })),
    ...redirects.map(({ at, newTarget }) => ({ slot: at, name: names.get(newTarget) ?? '' })),
  ];
  const used = segments.filter(({ bytes, size }) => bytes.length > 0 || size > 0);
  const memory = {
    at: used.reduce((least, { address }) => Math.min(least, address), used[0]?.address ?? 0),
    end: used.reduce((most, { address, size }) => Math.max(most, address + size), 0),
  };
  const base = Array.from(target.facts.identity, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const patch = { patch: number, base, slots, tableLength: code.slotsEnd, memory };
  return { patch, bytes: instanceOf(image, target) };
}
