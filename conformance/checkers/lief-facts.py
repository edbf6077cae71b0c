# What LIEF reads of Mach-O files: a line of JSON for each path on standard input, as facts that read-by-ours.ts spells
# alike.
import json
import sys

import lief

lief.logging.set_level(lief.logging.LEVEL.WARN)
KINDS = {"REGULAR": "regular", "THREAD_LOCAL_KIND": "thread-local", "ABSOLUTE_KIND": "absolute"}
WEAK_DEFINITION = 4


def facts_of(path):
    file = lief.MachO.parse(path)
    if file is None or file.size != 1:
        raise SystemExit(f"{path}: LIEF reads no Mach-O file")
    file = file.at(0)
    facts = {}
    signature = file.code_signature
    facts["signature"] = f"{signature.data_offset} {signature.data_size}"
    facts["uuid"] = bytes(file.uuid.uuid).hex()
    facts["platform"] = str(int(file.build_version.platform.value))
    for number, library in enumerate([one for one in file.libraries if one.command.name != "ID_DYLIB"], 1):
        facts[f"library {number}"] = library.name
    for segment in file.segments:
        place = f"{segment.virtual_address} {segment.virtual_size} {segment.file_offset} {segment.file_size}"
        facts[f"segment {segment.name}"] = place
    for section in file.sections:
        facts[f"section {section.segment_name},{section.name}"] = f"{section.virtual_address} {section.size}"
    trie = file.dyld_exports_trie if file.has_dyld_exports_trie else file.dyld_info
    for export in trie.exports:
        weak = " weak" if export.flags & WEAK_DEFINITION else ""
        facts[f"export {export.symbol.name}"] = f"{KINDS[export.kind.name]} {export.address}{weak}"
    for bind in file.bindings:
        # A chain's small addends stand in the word, the table of imports has the others.
        addend = bind.addend + getattr(bind, "sign_extended_addend", 0)
        if isinstance(bind, lief.MachO.DyldBindingInfo) and bind.binding_class == bind.CLASS.WEAK:
            # It comes on top of what the word gets first, and names no library.
            facts[f"weak bind {bind.address}"] = f"{bind.symbol.name} {addend}"
            continue
        weak = " weak" if bind.weak_import else ""
        facts[f"bind {bind.address}"] = f"{bind.symbol.name} {addend} {bind.library_ordinal}{weak}"
    for fixup in file.relocations:
        # Of programs LIEF says where they work: what is there stands in the file.
        target = fixup.target if hasattr(fixup, "target") else file.get_int_from_virtual_address(fixup.address, 8)
        facts[f"rebase {fixup.address}"] = str(target)
    starts = sorted(set(file.function_starts.functions)) if file.has_function_starts else []
    facts["functions"] = " ".join(str(start) for start in starts)
    return facts


for line in sys.stdin:
    print(json.dumps({"path": line.strip(), "facts": facts_of(line.strip())}))
