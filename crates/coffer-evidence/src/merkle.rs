//! The Merkle tree over the log's leaves: growing it, its root at any size, inclusion and consistency proofs.
//! Spec: RFC 6962 §2.1; proof verification as in RFC 9162 §2.1.3.2 and §2.1.4.2. Pure.
//!
//! A node that covers a full power of two of leaves never changes again, so those nodes alone are stored; every root
//! and every proof at every size is made of them.

use sha2::{Digest, Sha256};

/// A hash of the tree: SHA-256.
pub type Hash = [u8; 32];

/// Hash of one leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// Hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Root of the tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A node that covers a full power of two of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId {
    /// Height: a leaf's is 0, and the node covers 2^level leaves.
    pub level: u32,
    /// Its place among the nodes of its level, from the left.
    pub position: u64,
}

impl NodeId {
    /// The leaf whose arrival completes the node.
    pub const fn completed_by(self) -> u64 {
        // Positions come from sizes that fit 64 bits, so the shift loses nothing.
        ((self.position + 1) << self.level) - 1
    }
}

/// Nodes whose leaves, left to right, are the first `size`: one for each one-bit of `size`, largest first.
pub fn peaks(size: u64) -> impl Iterator<Item = NodeId> {
    (0..u64::BITS).rev().filter(move |level| size >> level & 1 == 1).map(move |level| {
        // Above this peak lie only larger ones.
        NodeId { level, position: (size >> level) - 1 }
    })
}

/// The right edge of a growing tree: all that is needed to add leaves and to give the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a tree up again at `size`, reading the hashes of its [`peaks`].
    pub fn load<E>(size: u64, node: impl FnMut(NodeId) -> Result<Hash, E>) -> Result<Self, E> {
        Ok(Self { size, peaks: peaks(size).map(node).collect::<Result<_, E>>()? })
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; `completed` gets the hash of each node above it that this leaf completes, from the
    /// lowest (level 1) up.
    pub fn push(&mut self, leaf_hash: Hash, mut completed: impl FnMut(&Hash)) {
        let mut hash = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            hash = node_hash(&self.take_peak(), &hash);
            completed(&hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    fn take_peak(&mut self) -> Hash {
        self.peaks.pop().expect("a tree has one peak for each one-bit of its size")
    }

    /// The root of the tree as it is.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(&last) = peaks.next() else { return empty_root() };
        peaks.fold(last, |right, left| node_hash(left, &right))
    }
}

/// Why no proof can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeProofError<E> {
    /// There is no such leaf, or no such earlier size.
    #[error("there is nothing to prove at that size")]
    OutOfRange,
    /// A stored node could not be read.
    #[error("a node of the tree cannot be read")]
    Node(E),
}

/// Makes the proof that the leaf `index` is in the tree of `size` leaves (RFC 6962 §2.1.1): sibling hashes, lowest first.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(NodeId) -> Result<Hash, E>,
) -> Result<Vec<Hash>, MakeProofError<E>> {
    if index >= size {
        return Err(MakeProofError::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_hash(middle, end, &mut node).map_err(MakeProofError::Node)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut node).map_err(MakeProofError::Node)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Makes the proof that the tree of `to` leaves extends the one of `from` (RFC 6962 §2.1.2).
pub fn consistency_proof<E>(
    from: u64,
    to: u64,
    mut node: impl FnMut(NodeId) -> Result<Hash, E>,
) -> Result<Vec<Hash>, MakeProofError<E>> {
    if from > to {
        return Err(MakeProofError::OutOfRange);
    }
    let mut proof = Vec::new();
    if from == 0 || from == to {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, to);
    while from != end {
        let middle = start + split(end - start);
        if from <= middle {
            proof.push(range_hash(middle, end, &mut node).map_err(MakeProofError::Node)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut node).map_err(MakeProofError::Node)?);
            start = middle;
        }
    }
    // The whole earlier tree is a hash the verifier has already; a part of it is not.
    if start != 0 {
        proof.push(range_hash(start, end, &mut node).map_err(MakeProofError::Node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Root of the tree of `size` leaves out of its stored nodes.
pub fn root<E>(size: u64, node: impl FnMut(NodeId) -> Result<Hash, E>) -> Result<Hash, E> {
    Frontier::load(size, node).map(|frontier| frontier.root())
}

/// The largest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Hash of the leaves `start..end`, a range that occurs in the recursion of RFC 6962 §2.1: not empty, and `start` a
/// multiple of the power of two its first peak covers.
fn range_hash<E>(start: u64, end: u64, node: &mut impl FnMut(NodeId) -> Result<Hash, E>) -> Result<Hash, E> {
    let mut done = start;
    let mut hashes = Vec::new();
    for peak in peaks(end - start) {
        hashes.push(node(NodeId { level: peak.level, position: done >> peak.level })?);
        done += 1 << peak.level;
    }
    let last = hashes.pop().expect("the range is not empty");
    Ok(hashes.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// The proof does not prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not hold")]
pub struct ProofError;

/// Verifies that a leaf's hash is at `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf_hash: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf_hash);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // At the right edge a node without sibling is passed up unchanged.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError) }
}

/// Verifies that the tree of `to` leaves with `to_root` extends the one of `from` with `from_root` (RFC 9162 §2.1.4.2).
///
/// Every tree extends the empty one, and itself; there the proof is empty.
pub fn verify_consistency(
    from: u64,
    from_root: &Hash,
    to: u64,
    to_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from == 0 || from == to {
        let same = *from_root == if from == 0 { empty_root() } else { *to_root };
        return if proof.is_empty() && same { Ok(()) } else { Err(ProofError) };
    }
    if from > to {
        return Err(ProofError);
    }
    let mut path = proof.iter();
    let (mut node, mut last) = (from - 1, to - 1);
    let passed = node.trailing_ones();
    node = node.checked_shr(passed).unwrap_or(0);
    last = last.checked_shr(passed).unwrap_or(0);
    // A whole earlier tree is the first hash; otherwise the proof begins with it.
    let first = if from.is_power_of_two() { from_root } else { path.next().ok_or(ProofError)? };
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return Err(ProofError);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && old == *from_root && new == *to_root { Ok(()) } else { Err(ProofError) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    /// MTH of RFC 6962 §2.1, word for word.
    fn mth(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => Sha256::new().chain_update([0]).chain_update(one).finalize().into(),
            many => {
                let mut k = 1;
                while k * 2 < many.len() {
                    k *= 2;
                }
                Sha256::new()
                    .chain_update([1])
                    .chain_update(mth(&many[..k]))
                    .chain_update(mth(&many[k..]))
                    .finalize()
                    .into()
            }
        }
    }

    /// PATH of RFC 6962 §2.1.1.
    fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return vec![];
        }
        let mut k = 1;
        while k * 2 < leaves.len() {
            k *= 2;
        }
        let (mut proof, other) = if m < k {
            (path(m, &leaves[..k]), mth(&leaves[k..]))
        } else {
            (path(m - k, &leaves[k..]), mth(&leaves[..k]))
        };
        proof.push(other);
        proof
    }

    /// SUBPROOF of RFC 6962 §2.1.2.
    fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { vec![] } else { vec![mth(leaves)] };
        }
        let mut k = 1;
        while k * 2 < leaves.len() {
            k *= 2;
        }
        let (mut proof, other) = if m <= k {
            (subproof(m, &leaves[..k], whole), mth(&leaves[k..]))
        } else {
            (subproof(m - k, &leaves[k..], false), mth(&leaves[..k]))
        };
        proof.push(other);
        proof
    }

    struct Stored {
        frontier: Frontier,
        nodes: HashMap<NodeId, Hash>,
    }

    impl Stored {
        fn of(leaves: &[Vec<u8>]) -> Self {
            let mut stored = Self { frontier: Frontier::new(), nodes: HashMap::new() };
            for (index, leaf) in (0_u64..).zip(leaves) {
                let hash = leaf_hash(leaf);
                stored.nodes.insert(NodeId { level: 0, position: index }, hash);
                let mut level = 0;
                stored.frontier.push(hash, |node| {
                    level += 1;
                    let id = NodeId { level, position: index >> level };
                    assert_eq!(id.completed_by(), index);
                    stored.nodes.insert(id, *node);
                });
            }
            stored
        }

        fn node(&self, id: NodeId) -> Result<Hash, NodeId> {
            self.nodes.get(&id).copied().ok_or(id)
        }
    }

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|i| i.to_be_bytes().to_vec()).collect()
    }

    #[test]
    fn the_roots_are_those_of_the_known_test_tree() {
        // Leaves and roots as in certificate-transparency's reference tests (merkletree/merkle_tree_test.cc).
        let leaves: Vec<Vec<u8>> =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
                .iter()
                .map(|text| hex::decode(text).unwrap())
                .collect();
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), empty_root());
        for (leaf, expected) in leaves.iter().zip(roots) {
            frontier.push(leaf_hash(leaf), |_| {});
            assert_eq!(hex::encode(frontier.root()), expected);
        }
    }

    #[test]
    fn every_root_and_proof_of_small_trees_is_the_rfcs_and_the_second_implementations() {
        let all = leaves(40);
        for size in 0..=all.len() {
            let leaves = &all[..size];
            let stored = Stored::of(leaves);
            let node = |id| stored.node(id);
            let total = size as u64;
            let tree_root = stored.frontier.root();
            assert_eq!(tree_root, mth(leaves));
            assert_eq!(root(total, node), Ok(tree_root));
            let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            for leaf in leaves {
                oracle.push(leaf.clone());
            }
            if size > 0 {
                assert_eq!(oracle.root().as_bytes().as_slice(), tree_root);
            }
            for index in 0..size {
                let proof = inclusion_proof(index as u64, total, node).unwrap();
                assert_eq!(proof, path(index, leaves));
                assert_eq!(oracle.prove_inclusion(index).as_bytes(), proof.concat());
                let hash = leaf_hash(&leaves[index]);
                assert_eq!(verify_inclusion(index as u64, total, &hash, &proof, &tree_root), Ok(()));
                if size > 1 {
                    let elsewhere = (index as u64 + 1) % total;
                    assert_eq!(verify_inclusion(elsewhere, total, &hash, &proof, &tree_root), Err(ProofError));
                }
            }
            for from in 1..=size {
                let proof = consistency_proof(from as u64, total, node).unwrap();
                assert_eq!(proof, subproof(from, leaves, true));
                let from_root = mth(&leaves[..from]);
                assert_eq!(verify_consistency(from as u64, &from_root, total, &tree_root, &proof), Ok(()));
                let mut other = from_root;
                other[0] ^= 1;
                assert_eq!(verify_consistency(from as u64, &other, total, &tree_root, &proof), Err(ProofError));
            }
            assert_eq!(inclusion_proof(total, total, node), Err(MakeProofError::OutOfRange));
            assert_eq!(consistency_proof(total + 1, total, node), Err(MakeProofError::OutOfRange));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_frontier_taken_up_again_goes_on_as_if_never_put_down(size in 0usize..300, more in 0usize..40) {
            let all = leaves(size + more);
            let stored = Stored::of(&all[..size]);
            let mut again = Frontier::load(size as u64, |id| stored.node(id)).unwrap();
            prop_assert_eq!(&again, &stored.frontier);
            for leaf in &all[size..] {
                again.push(leaf_hash(leaf), |_| {});
            }
            prop_assert_eq!(again.root(), mth(&all));
        }

        #[test]
        fn no_changed_proof_holds(size in 2usize..300, at: prop::sample::Index, other: prop::sample::Index, bit in 0usize..256) {
            let all = leaves(size);
            let stored = Stored::of(&all);
            let (index, total) = (at.index(size), size as u64);
            let root = stored.frontier.root();
            let hash = leaf_hash(&all[index]);
            let mut proof = inclusion_proof(index as u64, total, |id| stored.node(id)).unwrap();
            let mut longer = proof.clone();
            longer.push([0; 32]);
            prop_assert!(verify_inclusion(index as u64, total, &hash, &longer, &root).is_err());
            prop_assert!(verify_inclusion(index as u64, total, &hash, &proof[1..], &root).is_err());
            let step = other.index(proof.len());
            proof[step][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_inclusion(index as u64, total, &hash, &proof, &root).is_err());
        }

        #[test]
        fn no_changed_consistency_proof_holds(from in 1usize..200, more in 1usize..100, other: prop::sample::Index, bit in 0usize..256) {
            let all = leaves(from + more);
            let stored = Stored::of(&all);
            let (old, new) = (mth(&all[..from]), stored.frontier.root());
            let (from, to) = (from as u64, (from + more) as u64);
            let mut proof = consistency_proof(from, to, |id| stored.node(id)).unwrap();
            prop_assert_eq!(verify_consistency(from, &old, to, &new, &proof), Ok(()));
            prop_assert!(verify_consistency(from, &old, to, &new, &proof[1..]).is_err());
            let step = other.index(proof.len());
            proof[step][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_consistency(from, &old, to, &new, &proof).is_err());
        }

        #[test]
        fn verification_of_any_numbers_ends_without_panic(a: u64, b: u64, count in 0usize..70) {
            let proof = vec![[7; 32]; count];
            let _ = verify_inclusion(a, b, &[1; 32], &proof, &[2; 32]);
            let _ = verify_consistency(a, &[1; 32], b, &[2; 32], &proof);
        }
    }
}
