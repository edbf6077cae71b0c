// What is compared with JITLink: a relocatable file, wherever it is from.

/** One relocatable file. */
export interface CorpusObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}
