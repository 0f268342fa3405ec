/* SPDX-License-Identifier: Apache-2.0 */
/* asz_seq: the verifier's half of the seq challenge: x_0 = seed, x_{i+1} = SHA-256(x_i), with 32 values along the way as answer.
 *
 * Each of the 32 segments is recomputed, none is sampled: whoever breaks the chain once gains from it for good, and a sample of k
 * segments would miss that with probability 1 - k/32. The segments are independent of each other, so that what took the prover
 * one long chain takes a verifier 32 short ones side by side: on a GPU the 32 lanes of a warp judge one answer. */
#ifndef ASZ_GPU_KINDS_SEQ_H
#define ASZ_GPU_KINDS_SEQ_H

#include "gpu/kinds/sha256.h"
#include "gpu/verify.h"

ASZ_HD int asz_seq_is_well_formed(unsigned log2_steps) {
  return log2_steps >= ASZ_SEQ_LOG2_MIN && log2_steps <= ASZ_SEQ_LOG2_MAX;
}

/* asz_seq_segment_holds: 1 when checkpoint[segment] follows from the value before it (the seed for segment 0) in
 * 2^log2_steps / 32 steps. segment 0..31, log2_steps well formed. Cost: that many compressions. */
ASZ_HD int asz_seq_segment_holds(const uint8_t seed[32], const uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32], unsigned segment,
                                 unsigned log2_steps) {
  const uint8_t *from = segment == 0 ? seed : checkpoint[segment - 1];
  struct asz_sha256_x x = asz_sha256_chain(asz_sha256_x_load(from), 1u << log2_steps >> ASZ_SEQ_LOG2_MIN);
  struct asz_sha256_x expected = asz_sha256_x_load(checkpoint[segment]);
  uint32_t difference = 0;
  for (int i = 0; i < 8; i++)
    difference |= x.word[i] ^ expected.word[i];
  return difference == 0;
}

#if !defined(__CUDACC__)
/* Known answer: the 32 checkpoints from seed 00 01 .. 1f with log2_steps 10, made independently of this code by
 *   python3 -c 'import hashlib
 *   x = bytes(range(32))
 *   for i in range(1, 1025):
 *     x = hashlib.sha256(x).digest()
 *     if i % 32 == 0: print(x.hex())' */
enum { ASZ_SEQ_KNOWN_LOG2_STEPS = 10 };
ASZ_HD_TABLE char asz_seq_known_seed[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
ASZ_HD_TABLE char asz_seq_known_checkpoint[ASZ_SEQ_CHECKPOINTS][65] = {
    "b4e760b7c9b77abebc207c27ca34f2f73ef84586028d2d6baadfd6b6f822aa1a",
    "2a05790d9ee117fdb350cbd54c81624c792c118e6e8909fa0c1dfee21aec5d9e",
    "e93708850f8e0088833fdaae60a6ac742afef3af42fbe86e15a5c7efa5a6f5f5",
    "01b0d369fead33736810a69a37cb9211bd050d7cf4899981de80f764f41e6dc0",
    "03e3dec199901838637b9cea562ae4b103042f17b06a8e2ca07b6253009d5884",
    "c50b649de03eca7e174c294603f80ef93c9817da2c19d33a356eeb1d6f4d152e",
    "716be9f9bf2f31a3118ed77770fbe9c14efa34e69b390a470c6d2721d19ba64a",
    "8814420b5e0dfb13cdf4b48ef3daab3ed27ea1ee75d0b586d6e8cd0a5970de49",
    "7ca3319dd6b4db9784ef5cf5cb04b49f62b0806a6083a5980f47832d63cda404",
    "270fb4739e871b853b1fe4709d2afe83584b9c52f012e74da1192edbb8a812a9",
    "fa52762e577cb0aee3db415329a97963a42a3411e8447cee639a9e6c1b7288a6",
    "02519a48f9d002930328712b1627cf19b001f873da7a492d8900ee5768111074",
    "b633d81428dfd47b6b007b4c22a0e72c593b1f9a92ded6a9700f1758c1e5e070",
    "292cacabf79506aa903416f2590790343e0bc14235b8754f1c2938c0b09e1199",
    "df172423b845fa1726a52efda519a0708f40a837d214b465042d7529e14f0897",
    "56c4b797c2a732efecfc0d6fc54103336e40dd87e7456a1b682c264d5ce7f800",
    "e3af480f9bdd073402b832553234625d59e2eb30255c1592cc78e80791c895e1",
    "5ff0d44e8f62960b4d8ceea3afd584c5e6cf5394430d9c58ffee48fe75543859",
    "1b9e6ee5d74596a20a4779d5170ad8e66ca3a939c44bdd44977604fb5a71a4c9",
    "d98d4898a75cecc76f7e213dabcffc1fc1cca9eb05a1de0a08a308c1a65a8e27",
    "29091f768a877cf6b1e6e3b3e82752bcb224619dfb1c94c96acd798a46eee0da",
    "5b60a540477d301010fdd52bc9c4d842cf62d4853e2bd4f523aca287f3679dfd",
    "7e7daa2e7a43322a4bada5af03bb84d618801b016b5135aead88ad12bf20eca9",
    "d9d465d2d0c0168dce9d9c8b0cfa14aba084c382fddda963a7e92a30fe517b61",
    "2e168274c011610fce7927f41aa4637f427e14602cffaffe6a8c446dfb8f23b1",
    "03e87f6a4022f5f100eadb389a8f758aac1bfc1983b93749101271f8a28897ce",
    "61a1a25aeeea6fb4cae6867e1dbc7b02886fa106a11182f2df1d73456de3c905",
    "f8c393a67d827a9457c1ccb03f87c5a116bbd826ec7128541f543578308b58d3",
    "44e18bc97053f7c98d9d90503be6b74612a27b26b70142473232230b4c4ee4d1",
    "bdc98ab0b702dda81956bb0452109b8b048a22c4183fef1fd313467584d34865",
    "35a0df727b1c9a6bba9773b3e10a010ba648e26e76bf8a3423a8fbf2baba1735",
    "014f68f1316b596d8f66923bacb9555f83e22c9887068760371c5b3f299e464b",
};
#endif

#endif
