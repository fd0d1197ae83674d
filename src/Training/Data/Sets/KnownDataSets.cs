using System.Collections.Immutable;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Loading;

namespace Federated.Training.Data.Sets;

/// <summary>The data sets that a name is enough for.</summary>
/// <remarks>
/// Sizes and checksums are those of the files as published; a set in the data folder may be another edition (a shortened training set, a
/// gzip file packed again, missing values written otherwise), which is why loading checks structure and downloading checks checksums.
/// </remarks>
public static class KnownDataSets
{
    public const string Mnist = "mnist";
    public const string FashionMnist = "fashion-mnist";
    public const string Cifar10 = "cifar10";
    public const string HeartDisease = "heart-disease";
    public const string LetterRecognition = "letter-recognition";
    public const string Shakespeare = "shakespeare";

    private const string Uci = "https://archive.ics.uci.edu/ml/machine-learning-databases/";

    public static ImmutableArray<KnownDataSet> All { get; } =
    [
        new(
            DrawnDigits.Name,
            "Digits drawn by 50 made-up writers, each a client with a style of its own: 10,000 + 2,000 images of 28×28.",
            "generated", "drawn here", [],
            (_, seed) => DrawnDigits.Generate(new DrawnDigitsOptions(), seed)),
        new(
            Synthetic.Name,
            "FedProx's Synthetic(1,1): 30 clients with linear models and inputs of their own, 60 features, 10 classes.",
            "generated", "https://arxiv.org/abs/1812.06127", [],
            (_, seed) => Synthetic.Generate(new SyntheticOptions(), seed)),
        new(
            Synthetic.IidName,
            "FedProx's IID synthetic set: the same with one model and input distribution for all 30 clients.",
            "generated", "https://arxiv.org/abs/1812.06127", [],
            (_, seed) => Synthetic.Generate(new SyntheticIidOptions(), seed)),
        Idx(
            Mnist,
            "Handwritten digits, 60,000 + 10,000 images of 28×28.",
            "CC BY-SA 3.0", "http://yann.lecun.com/exdb/mnist/",
            ["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"],
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")),
        Idx(
            FashionMnist,
            "Pictures of clothing, a harder MNIST: 60,000 + 10,000 images of 28×28.",
            "MIT", "https://github.com/zalandoresearch/fashion-mnist",
            ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")),
        EmnistPart("balanced", 47, "Handwritten digits and letters in equal numbers, 112,800 + 18,800 images of 28×28, 47 classes."),
        EmnistPart("digits", 10, "Handwritten digits in equal numbers, 240,000 + 40,000 images of 28×28."),
        EmnistPart("byclass", 62, "Handwritten digits, capital and small letters as they occur, 697,932 + 116,323 images of 28×28, 62 classes."),
        new(
            Cifar10,
            "Photographs of ten kinds of things, 50,000 + 10,000 images of 3×32×32.",
            "none stated; cite Krizhevsky 2009", "https://www.cs.toronto.edu/~kriz/cifar.html",
            [
                new KnownFile(
                    "cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                    ["test_batch.bin", "cifar-10-batches-bin/test_batch.bin"],
                    [new Uri("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz")]),
            ],
            (folder, _) => CifarReader.Read(Cifar10, folder)),
        new(
            HeartDisease,
            "Diagnosis of heart disease from 13 attributes in four hospitals, each a client: Cleveland 303, Hungary 294, Switzerland 123, Long Beach 200.",
            "CC BY 4.0", "https://doi.org/10.24432/C52P4X",
            [
                UciFile("processed.cleveland.data", 18461, "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8"),
                UciFile("processed.hungarian.data", 10263, "d1ad108f785768cd3d7e82dc522e6f5a61eea93cccfb3a46ee8076f73fc3d796"),
                UciFile("processed.switzerland.data", 4109, "834a405ccf5b66ab4056bb77794adc8df0b7125186454c0a1d002d33c6c3b314"),
                UciFile("processed.va.data", 6737, "e7c93d8d0d2acdadfa4c5e8de768e2191e7f618b952e29623f1f0d5949ff6b8f"),
            ],
            KnownTables.LoadHeartDisease),
        new(
            LetterRecognition,
            "Letters A–Z in 20 fonts described by 16 numbers: the customary 16,000 + 4,000.",
            "CC BY 4.0", "https://doi.org/10.24432/C5ZP40",
            [
                new KnownFile(
                    KnownTables.LetterFile, 712565, "2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2", [],
                    [new Uri(Uci + "letter-recognition/" + KnownTables.LetterFile)]),
            ],
            KnownTables.LoadLetterRecognition),
        new(
            Shakespeare,
            "Next-character prediction from plays, each of 247 speaking roles a client: 80,161 + 18,767 examples of 80 characters.",
            "public domain", "https://github.com/karpathy/char-rnn",
            [
                new KnownFile(
                    "input.txt", 1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", [],
                    [new Uri("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt")]),
            ],
            (folder, _) => SpeechSource.Load(new SpeechSourceOptions { Path = "input.txt" }, Shakespeare, folder)),
    ];

    /// <summary>All names, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(set => set.Name));

    /// <summary>The set of this name.</summary>
    public static KnownDataSet Find(string name) =>
        All.FirstOrDefault(set => set.Name == name) ?? throw new TrainingException($"There is no data set '{name}'; known are {Names}.");

    private static KnownDataSet Idx(
        string name,
        string description,
        string licence,
        string source,
        ImmutableArray<string> mirrors,
        (long Bytes, string Sha256) trainImages,
        (long Bytes, string Sha256) trainLabels,
        (long Bytes, string Sha256) testImages,
        (long Bytes, string Sha256) testLabels)
    {
        ImmutableArray<KnownFile> files =
        [
            File("train-images-idx3-ubyte", trainImages),
            File("train-labels-idx1-ubyte", trainLabels),
            File("t10k-images-idx3-ubyte", testImages),
            File("t10k-labels-idx1-ubyte", testLabels),
        ];
        return new KnownDataSet(name, description, licence, source, files, (folder, _) => new FederatedData(
            IdxReader.ReadDataSet(name, files[0].In(folder), files[1].In(folder), classes: 10),
            IdxReader.ReadDataSet(name, files[2].In(folder), files[3].In(folder), classes: 10),
            []));

        KnownFile File(string plain, (long Bytes, string Sha256) published) =>
            new(plain + ".gz", published.Bytes, published.Sha256, [plain], [.. mirrors.Select(mirror => new Uri(mirror + plain + ".gz"))]);
    }

    private static KnownDataSet EmnistPart(string part, int classes, string description)
    {
        var name = "emnist-" + part;
        return new KnownDataSet(
            name, description, "public domain (NIST)", "https://www.nist.gov/itl/products-and-services/emnist-dataset",
            [
                new KnownFile(
                    Emnist.Archive, 561753746, "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
                    [$"{name}-train-images-idx3-ubyte.gz"],
                    [new Uri("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip")]),
            ],
            (folder, _) => Emnist.Load(name, part, folder, classes))
        {
            FolderName = "emnist",
        };
    }

    private static KnownFile UciFile(string name, long bytes, string sha256) => new(name, bytes, sha256, [], [new Uri(Uci + HeartDisease + "/" + name)]);
}
