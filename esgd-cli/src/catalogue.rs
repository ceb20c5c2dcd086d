//! The data sets that can be downloaded: official files, where they are, and their checksums.

/// A data set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub name: &'static str,
    /// Folders on the web that hold all files, tried in this order.
    pub mirrors: &'static [&'static str],
    pub files: &'static [Download],
    /// How it is used.
    pub then: &'static str,
}

/// A file to download.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    pub file: Named,
    /// Of an archive (.tar.gz) what is wanted of it; the archive itself is not kept.
    pub holds: &'static [Named],
}

/// A file with its size in bytes and its SHA-256.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub path: &'static str,
    pub size: u64,
    pub sha256: &'static str,
}

const fn named(path: &'static str, size: u64, sha256: &'static str) -> Named {
    Named { path, size, sha256 }
}

const fn plain(path: &'static str, size: u64, sha256: &'static str) -> Download {
    Download { file: named(path, size, sha256), holds: &[] }
}

const BATCH: u64 = 30_730_000;

pub(crate) const CATALOGUE: [Entry; 3] = [
    Entry {
        name: "cifar10",
        mirrors: &["https://www.cs.toronto.edu/~kriz/"],
        files: &[Download {
            file: named(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
            holds: &[
                named(
                    "cifar-10-batches-bin/data_batch_1.bin",
                    BATCH,
                    "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                ),
                named(
                    "cifar-10-batches-bin/data_batch_2.bin",
                    BATCH,
                    "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                ),
                named(
                    "cifar-10-batches-bin/data_batch_3.bin",
                    BATCH,
                    "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                ),
                named(
                    "cifar-10-batches-bin/data_batch_4.bin",
                    BATCH,
                    "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                ),
                named(
                    "cifar-10-batches-bin/data_batch_5.bin",
                    BATCH,
                    "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
                ),
                named(
                    "cifar-10-batches-bin/test_batch.bin",
                    BATCH,
                    "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
                ),
            ],
        }],
        then: "esgd train --preset cifar10 --data",
    },
    Entry {
        name: "fashion-mnist",
        mirrors: &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
        files: &[
            plain(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            plain(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            plain(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            plain(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ],
        then: "esgd train --preset fashion-mnist --data",
    },
    Entry {
        name: "mnist",
        mirrors: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
        files: &[
            plain(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            plain(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            plain(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            plain(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ],
        then: "esgd train --preset fashion-mnist --data",
    },
];
