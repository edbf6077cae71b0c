// Every pair of the corpus.
import type { Pair } from '../pair.js';
import { ENUM_PAIRS } from './enums.js';
import { ENVIRONMENT_PAIRS } from './environments.js';
import { FIELD_PAIRS } from './fields.js';
import { GENERIC_PAIRS } from './generics.js';
import { NESTING_PAIRS } from './nesting.js';
import { PATH_PAIRS } from './paths.js';
import { STATIC_PAIRS } from './statics.js';
import { TRAIT_PAIRS } from './traits.js';

export const PAIRS: readonly Pair[] = [
  ...FIELD_PAIRS,
  ...ENUM_PAIRS,
  ...NESTING_PAIRS,
  ...GENERIC_PAIRS,
  ...TRAIT_PAIRS,
  ...ENVIRONMENT_PAIRS,
  ...STATIC_PAIRS,
  ...PATH_PAIRS,
];
