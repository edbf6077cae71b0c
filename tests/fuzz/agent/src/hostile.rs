//! The properties, and how cases are made: arbitrary bytes, and sound transactions and frames that are then changed.

use crate::memory::measured;
use crate::wire::{keyed, read_frame, read_transaction, VERSION};
use hmac::Mac;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Cases of each property where IPBP_FUZZ_RUNS says nothing else.
const RUNS: u32 = 2000;
const KEY: [u8; 32] = [7; 32];

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect(name))
}

/// Runs a property on the cases of the seed.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seed = [number("IPBP_FUZZ_SEED", 1).to_le_bytes(), [0x5a; 4]].concat().repeat(4);
    let config = Config { cases: number("IPBP_FUZZ_RUNS", RUNS), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    if let Err(error) = runner.run(&strategy, property) {
        panic!("{error}");
    }
}

/// A field in the form of the wire: bytes behind their length, or a number.
fn counted<const N: usize>(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
        .prop_map(|bytes| [&(bytes.len() as u64).to_le_bytes()[..N], &bytes].concat())
}

fn fixed(size: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), size)
}

/// An operation as docs/protocol.md has it.
fn operation() -> impl Strategy<Value = Vec<u8>> {
    let head = |number: u8, rest: BoxedStrategy<Vec<u8>>| rest.prop_map(move |rest| [vec![number], rest].concat());
    let cell = (fixed(12), 0usize..40, fixed(80), fixed(2))
        .prop_map(|(place, size, bytes, guard)| [place, vec![size as u8], bytes[..2 * size].to_vec(), guard].concat());
    let import = (fixed(8), 0u8..8, fixed(12), counted::<2>(40)).prop_map(|(at, flags, rest, name)| {
        let fixed = if flags & 4 != 0 { &rest[..] } else { &rest[..8] };
        [at, vec![flags], fixed.to_vec(), name].concat()
    });
    let placed =
        |size: usize, most: usize| (fixed(size), counted::<4>(most)).prop_map(|(at, bytes)| [at, bytes].concat());
    prop_oneof![
        head(1, fixed(16).boxed()),
        head(2, placed(8, 200).boxed()),
        head(3, fixed(20).boxed()),
        head(4, fixed(17).boxed()),
        head(5, import.boxed()),
        head(6, fixed(17).boxed()),
        head(7, fixed(16).boxed()),
        head(8, placed(12, 40).boxed()),
        head(9, fixed(8).boxed()),
        head(10, cell.boxed()),
        head(11, fixed(8).boxed()),
        head(12, fixed(28).boxed()),
        head(13, placed(16, 200).boxed()),
    ]
}

/// A transaction and how many operations it has.
fn transaction() -> impl Strategy<Value = (Vec<u8>, usize)> {
    (any::<u32>(), prop::collection::vec(operation(), 0..12)).prop_map(|(patch, ops)| {
        let count = (ops.len() as u32).to_le_bytes();
        ([&patch.to_le_bytes()[..], &count, &ops.concat()].concat(), ops.len())
    })
}

/// A sound frame with a tag.
fn framed(kind: u16, sequence: u64, payload: &[u8]) -> Vec<u8> {
    let signed = [&VERSION.to_le_bytes()[..], &kind.to_le_bytes(), &sequence.to_le_bytes(), payload].concat();
    let tag = keyed(&KEY, &[b"H", &signed]).unwrap().finalize().into_bytes();
    [&((signed.len() + tag.len()) as u32).to_le_bytes()[..], &signed, &tag].concat()
}

/// How many operations there are, in memory that is worth what came: an operation has 64 bytes, the smallest takes 9 on
/// the wire, and what grows is copied once more.
fn operations(payload: &[u8]) -> Result<Option<usize>, TestCaseError> {
    let (ops, most) = measured(|| read_transaction(payload).map(|ops| ops.len()));
    prop_assert!(most <= 1024 + 24 * payload.len(), "{most} bytes for {}", payload.len());
    Ok(ops)
}

fn frame(mut bytes: &[u8], key: Option<&[u8; 32]>) -> Result<Option<(u16, Vec<u8>)>, TestCaseError> {
    let size = bytes.len();
    let (frame, most) = measured(|| read_frame(&mut bytes, key, 3));
    prop_assert!(most <= (72 << 10) + 4 * size, "{most} bytes for {size}");
    Ok(frame)
}

#[test]
fn any_bytes_as_a_transaction() {
    let bytes = prop::collection::vec(prop_oneof![any::<u8>(), 0u8..13, Just(0), Just(255)], 0..400);
    check(bytes, |bytes| operations(&bytes).map(|_| ()));
}

#[test]
fn sound_transactions_are_read_and_no_part_of_one_is() {
    check((transaction(), any::<prop::sample::Index>()), |((payload, count), cut)| {
        prop_assert_eq!(operations(&payload)?, Some(count));
        prop_assert_eq!(operations(&payload[..cut.index(payload.len())])?, None);
        prop_assert_eq!(operations(&[&payload[..], &[1]].concat())?, None);
        Ok(())
    });
}

#[test]
fn changed_transactions_and_huge_counts() {
    let value = prop_oneof![any::<u32>(), Just(u32::MAX), Just(0x7fff_ffff), Just(0x8000_0000), 0u32..16];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), value), 1..5);
    check((transaction(), changes), |((mut payload, _), changes)| {
        for (at, value) in changes {
            let at = at.index(payload.len() - 3);
            payload[at..at + 4].copy_from_slice(&value.to_le_bytes());
            operations(&payload)?;
        }
        Ok(())
    });
}

#[test]
fn any_bytes_as_a_frame() {
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    let length =
        prop_oneof![any::<u32>(), 0u32..200, Just(256 << 20), Just((256 << 20) + 1), Just(4096), Just(u32::MAX)];
    check((length, bytes), |(length, bytes)| {
        let bytes = [&length.to_le_bytes()[..], &bytes].concat();
        prop_assert_eq!(frame(&bytes, Some(&KEY))?, None);
        if let Some((_, payload)) = frame(&bytes, None)? {
            prop_assert!(length <= 4096 && payload.len() + 12 == length as usize);
        }
        Ok(())
    });
}

#[test]
fn a_sound_frame_is_read_and_nothing_near_it() {
    let change = (any::<prop::sample::Index>(), 0u8..8);
    check((any::<u16>(), transaction(), change), |(kind, (payload, _), (at, bit))| {
        let mut bytes = framed(kind, 3, &payload);
        prop_assert_eq!(frame(&bytes, Some(&KEY))?, Some((kind, payload.clone())));
        let at = at.index(bytes.len());
        prop_assert_eq!(frame(&bytes[..at], Some(&KEY))?, None);
        prop_assert_eq!(frame(&framed(kind, 4, &payload), Some(&KEY))?, None);
        prop_assert_eq!(frame(&bytes, Some(&[8; 32]))?, None);
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(frame(&bytes, Some(&KEY))?, None);
        Ok(())
    });
}

#[test]
fn before_the_handshake_nothing_long_is_taken() {
    check(4097u32..=u32::MAX, |length| {
        let bytes = [&length.to_le_bytes()[..], &[0; 64]].concat();
        let (frame, most) = measured(|| read_frame(&mut &bytes[..], None, 0));
        prop_assert!(frame.is_none() && most == 0, "{most} bytes for a length of {length}");
        Ok(())
    });
}
