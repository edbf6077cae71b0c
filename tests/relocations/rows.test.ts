// No relocation of what compilers emit is without a row: both compilers, both machines, all code models, all models of
// thread-locals. What they emit is noted here, so that the corpus cannot lose what it is to show.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../src/formats/read-object.js';
import { machineFor } from '../../src/reloc/machines.js';
import { COMPILERS, compile, corpus, type CompilerName } from './sources.js';

interface Context {
  folder: string;
}

const Rows = suite<Context>('every relocation has a row');

Rows.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'ipbp-rows-'));
});
Rows.after(({ folder }) => rmSync(folder, { recursive: true }));

/** What the corpus is to show, by compiler. Other versions of the compilers may emit more. */
const wanted: Readonly<Record<CompilerName, string>> = {
  gcc:
    '32 32S 64 DTPOFF32 GOT64 GOTOFF64 GOTPC32 GOTPC32_TLSDESC GOTPC64 GOTPCREL GOTPCRELX GOTTPOFF ' +
    'PC32 PC64 PLT32 PLTOFF64 REX_GOTPCRELX TLSDESC_CALL TLSGD TLSLD TPOFF32',
  clang:
    '32 32S 64 DTPOFF32 DTPOFF64 GOT64 GOTOFF64 GOTPC32 GOTPC32_TLSDESC GOTPC64 GOTPCREL GOTPCRELX ' +
    'GOTTPOFF PC32 PC64 PLT32 REX_GOTPCRELX TLSDESC_CALL TLSGD TLSLD TPOFF32',
  'gcc arm64':
    'ABS32 ABS64 ADD_ABS_LO12_NC ADR_GOT_PAGE ADR_PREL_LO21 ADR_PREL_PG_HI21 CALL26 GOT_LD_PREL19 ' +
    'JUMP26 LD64_GOT_LO12_NC LDST16_ABS_LO12_NC LDST32_ABS_LO12_NC LDST64_ABS_LO12_NC ' +
    'LDST8_ABS_LO12_NC PREL32 TLSDESC_ADD_LO12 TLSDESC_ADR_PAGE21 TLSDESC_CALL TLSDESC_LD64_LO12 ' +
    'TLSGD_ADD_LO12_NC TLSGD_ADR_PAGE21 TLSIE_ADR_GOTTPREL_PAGE21 TLSIE_LD64_GOTTPREL_LO12_NC ' +
    'TLSIE_LD_GOTTPREL_PREL19 TLSLE_ADD_TPREL_HI12 TLSLE_ADD_TPREL_LO12 TLSLE_ADD_TPREL_LO12_NC ' +
    'TLSLE_MOVW_TPREL_G0_NC TLSLE_MOVW_TPREL_G1',
  'clang arm64':
    'ABS32 ABS64 ADD_ABS_LO12_NC ADR_GOT_PAGE ADR_PREL_LO21 ADR_PREL_PG_HI21 CALL26 GOT_LD_PREL19 ' +
    'JUMP26 LD64_GOT_LO12_NC LDST128_ABS_LO12_NC LDST16_ABS_LO12_NC LDST32_ABS_LO12_NC ' +
    'LDST64_ABS_LO12_NC LDST8_ABS_LO12_NC LD_PREL_LO19 MOVW_UABS_G0_NC MOVW_UABS_G1_NC ' +
    'MOVW_UABS_G2_NC MOVW_UABS_G3 PREL32 PREL64 TLSDESC_ADD_LO12 TLSDESC_ADR_PAGE21 TLSDESC_CALL ' +
    'TLSDESC_LD64_LO12 TLSIE_ADR_GOTTPREL_PAGE21 TLSIE_LD64_GOTTPREL_LO12_NC ' +
    'TLSIE_LD_GOTTPREL_PREL19 TLSLD_ADD_DTPREL_HI12 TLSLD_ADD_DTPREL_LO12_NC TLSLE_ADD_TPREL_HI12 ' +
    'TLSLE_ADD_TPREL_LO12 TLSLE_ADD_TPREL_LO12_NC TLSLE_MOVW_TPREL_G0_NC TLSLE_MOVW_TPREL_G1',
};

for (const name of Object.keys(COMPILERS) as CompilerName[]) {
  Rows(name, ({ folder }) => {
    const { rows } = machineFor('elf', COMPILERS[name].machine, name);
    const seen = new Set<string>();
    for (const [source, options] of corpus(name)) {
      const object = readObjectFile(compile(name, source, options, folder), options.join(' '));
      for (const section of object.sections) {
        for (const { type } of object.relocations(section.index)) {
          const row = rows.get(type);
          assert.ok(row !== undefined, `${type} in ${section.name}, ${options.join(' ')}`);
          seen.add(row.name.replace(/^R_(X86_64|AARCH64)_/, ''));
        }
      }
    }
    const missing = wanted[name].split(' ').filter((type) => !seen.has(type));
    assert.equal(missing, []);
  });
}

Rows.run();
