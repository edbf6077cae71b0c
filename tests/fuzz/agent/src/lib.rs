//! What the agent reads from its connection, given bytes that may be anything: no panic, no memory beyond a small multiple
//! of what came, and nothing accepted that is not what it should be. IPBP_FUZZ_RUNS and IPBP_FUZZ_SEED make longer and
//! other runs.

#[cfg(test)]
#[allow(dead_code, reason = "what writes frames is not tested here")]
#[path = "../../../../agent/src/wire.rs"]
mod wire;

#[cfg(test)]
mod memory;

#[cfg(test)]
mod hostile;
