use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// The leaves and roots with which certificate transparency logs are tested everywhere:
/// github.com/transparency-dev/merkle, testonly.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaf(number: u64) -> Hash {
    leaf_hash(&number.to_be_bytes())
}

fn leaves(first: u64, end: u64) -> Range {
    let mut range = Range::from(first);
    (first..end).for_each(|number| range.push_leaf(leaf(number), |_, _| {}));
    range
}

/// The definition in the RFC, word by word.
fn merkle_tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let largest_power_below = 1 << (leaves.len() - 1).ilog2();
            let (left, right) = leaves.split_at(largest_power_below);
            node_hash(&merkle_tree_hash(left), &merkle_tree_hash(right))
        }
    }
}

#[test]
fn the_roots_are_those_of_the_published_vectors() {
    let mut tree = Range::default();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(HEXLOWER.encode(&tree.root().unwrap()), *root, "{size} leaves");
        if let Some(content) = LEAVES.get(size) {
            let content = HEXLOWER.decode(content.as_bytes()).unwrap();
            tree.push_leaf(leaf_hash(&content), |_, _| {});
        }
    }
}

#[test]
fn a_subtree_in_the_wrong_place_is_refused() {
    let mut range = leaves(0, 3);
    range.push(Place { level: 0, position: 4 }, leaf(4)).unwrap_err();
    range.push(Place { level: 1, position: 1 }, leaf(4)).unwrap_err();
    assert_eq!(range, leaves(0, 3));
}

proptest! {
    #[test]
    fn the_root_is_the_merkle_tree_hash(size in 0u64..700) {
        let all: Vec<_> = (0..size).map(leaf).collect();
        prop_assert_eq!(leaves(0, size).root(), Some(merkle_tree_hash(&all)));
    }

    #[test]
    fn a_part_and_the_hashes_of_what_is_around_it_make_the_root(
        (first, end, size) in (0u64..300, 0u64..300, 0u64..300)
            .prop_map(|(a, b, c)| { let mut all = [a, b, c]; all.sort_unstable(); all.into() })
    ) {
        let mut tree = Range::default();
        for (place, hash) in cover(0, first).into_iter().zip(leaves(0, first).hashes()) {
            tree.push(place, hash).unwrap();
        }
        (first..end).for_each(|number| tree.push_leaf(leaf(number), |_, _| {}));
        let right = leaves(end, size);
        prop_assert_eq!(cover(end, size).len(), right.hashes().count());
        for (place, hash) in cover(end, size).into_iter().zip(right.hashes()) {
            tree.push(place, hash).unwrap();
        }
        prop_assert_eq!(tree, leaves(0, size));
    }

    #[test]
    fn every_full_subtree_is_told_of_once(size in 0u64..300) {
        let (mut range, mut told) = (Range::default(), vec![]);
        for number in 0..size {
            range.push_leaf(leaf(number), |place, hash| told.push((place, hash)));
        }
        let full = (1..9).flat_map(|level| {
            (0..size >> level).map(move |position| Place { level, position })
        });
        prop_assert_eq!(told.len(), full.clone().count());
        for place in full {
            let hash = leaves(place.first(), place.end()).hashes().next().unwrap();
            prop_assert!(told.contains(&(place, hash)));
        }
    }
}
