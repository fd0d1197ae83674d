using System.IO.Compression;
using Federated.Training.Data;
using Federated.Training.Data.Loading;
using Federated.Training.Data.Partitioning;
using Federated.Training.Data.Sets;
using Federated.Training.Tests.Data.Loading;

namespace Federated.Training.Tests.Data.Sets;

public static class KnownDataSetsTests
{
    private static FederatedData Load(string name, ulong seed = 1) => KnownDataSets.Find(name).Load(RealData.Folder!, seed);

    public sealed class Catalogue
    {
        [Fact]
        public void Every_set_says_where_it_comes_from_and_what_its_files_are()
        {
            Assert.Equal(KnownDataSets.All.Length, KnownDataSets.All.Select(s => s.Name).Distinct().Count());
            foreach (var set in KnownDataSets.All)
            {
                Assert.NotEmpty(set.Description);
                Assert.NotEmpty(set.Licence);
                Assert.All(set.Files, file =>
                {
                    Assert.Matches("^[0-9a-f]{64}$", file.Sha256);
                    Assert.True(file.Bytes > 0);
                    Assert.NotEmpty(file.Addresses);
                });
            }
        }

        [Fact]
        public void A_set_whose_files_are_not_there_says_which_and_where_they_must_be()
        {
            var message = Assert.Throws<TrainingException>(() => KnownDataSets.Find("mnist").Load("nowhere", 1)).Message;

            Assert.Contains("needs train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz in", message, StringComparison.Ordinal);
            Assert.Contains("fed data get mnist", message, StringComparison.Ordinal);
        }

        [Fact]
        public void Generated_sets_need_no_folder() =>
            Assert.All(KnownDataSets.All.Where(s => s.IsGenerated), s => Assert.True(s.Load("nowhere", 1).Clients.Count >= 30));
    }

    public sealed class HeartDisease
    {
        [RealDataFact("heart-disease")]
        public void Is_four_hospitals_with_a_fifth_of_each_held_out()
        {
            var data = Load(KnownDataSets.HeartDisease);

            Assert.Equal(["Cleveland", "Hungary", "Switzerland", "Long Beach VA"], data.Clients.Select(c => c.Name));
            Assert.Equal([303, 294, 123, 200], data.Clients.Select(c => c.Train.Length + c.Test.Length));
            Assert.Equal([61, 59, 25, 40], data.Clients.Select(c => c.Test.Length));
            Assert.Equal(185, data.Test.Count);
        }

        [RealDataFact("heart-disease")]
        public void Has_the_published_numbers_of_patients_with_disease()
        {
            var data = Load(KnownDataSets.HeartDisease);

            // Cleveland 139 of 303, Hungary 106 of 294, Switzerland 115 of 123, Long Beach 149 of 200 (heart-disease.names).
            Assert.Equal(
                [139, 106, 115, 149],
                data.Clients.Select(c => c.Train.Sum(i => data.Train.Labels[i]) + c.Test.Sum(i => data.Test.Labels[i])));
        }

        [RealDataFact("heart-disease")]
        public void Is_encoded_alike_for_all_hospitals_with_statistics_of_training_rows()
        {
            var data = Load(KnownDataSets.HeartDisease);

            // 6 numbers, 4 + 1 + … one-hot: sex 2, cp 4, fbs 2, restecg 3, exang 2, slope 3, thal 3; indicators: 8.
            Assert.Equal(6 + 2 + 4 + 2 + 3 + 2 + 3 + 3 + 8, data.Train.FeatureCount);
            var age = Enumerable.Range(0, data.Train.Count).Select(i => (double)data.Train.Row(i)[0]).ToArray();
            Assert.Equal(0, age.Average(), 1e-5);
            Assert.Equal(1, Math.Sqrt(age.Average(a => a * a)), 1e-5);

            // Switzerland measured no cholesterol: its indicator is 1 throughout, its value the mean. Features: age, sex ×2, cp ×4,
            // trestbps and its indicator, chol and its indicator.
            Assert.All(data.Clients[2].Train, i => Assert.Equal((0f, 1f), (data.Train.Row(i)[9], data.Train.Row(i)[10])));
        }

        [RealDataFact("heart-disease")]
        public void Reads_the_original_s_question_marks_alike()
        {
            using var folder = new TemporaryFolder();
            foreach (var file in KnownDataSets.Find(KnownDataSets.HeartDisease).Files)
            {
                var text = File.ReadAllText(Path.Combine(RealData.Folder!, "heart-disease", file.Name));
                folder.Write($"heart-disease/{file.Name}", text.Replace("NaN", "?", StringComparison.Ordinal));
            }

            Assert.Equal(Load(KnownDataSets.HeartDisease).Train.Features, KnownDataSets.Find(KnownDataSets.HeartDisease).Load(folder.Path, 1).Train.Features);
        }

        [RealDataFact("heart-disease")]
        public void Can_be_split_otherwise()
        {
            var data = FederatedDataFactory.Create(
                new DataOptions { Set = "heart-disease", Partition = new IidPartition { Clients = 7 } }, RealData.Folder!, 1);

            Assert.Equal(735, data.Clients.Sum(c => c.Train.Length));
        }
    }

    public sealed class LetterRecognition
    {
        [RealDataFact("letter-recognition")]
        public void Has_26_classes_and_the_customary_split()
        {
            var data = Load(KnownDataSets.LetterRecognition);

            Assert.Equal((16_000, 4_000, 26, 16), (data.Train.Count, data.Test.Count, data.Train.Classes, data.Train.FeatureCount));

            // The file begins T, I, D, N, G, S, B, A, J, M.
            Assert.Equal("TIDNGSBAJM", string.Concat(data.Train.Labels.Take(10).Select(c => (char)('A' + c))));
            Assert.Empty(data.Clients);
        }

        [RealDataFact("letter-recognition")]
        public void Reads_the_original_s_letters_alike()
        {
            using var folder = new TemporaryFolder();
            var rows = File.ReadLines(Path.Combine(RealData.Folder!, "letter-recognition", "letter-recognition.data"))
                .Where(line => char.IsDigit(line[0]))
                .Select(line => (char)('A' + int.Parse(line[..line.IndexOf(',')])) + line[line.IndexOf(',')..]);
            folder.Write("letter-recognition/letter-recognition.data", string.Concat(rows.Select(row => row + "\n")));

            var original = KnownDataSets.Find(KnownDataSets.LetterRecognition).Load(folder.Path, 1);

            Assert.Equal(Load(KnownDataSets.LetterRecognition).Train.Features, original.Train.Features);
            Assert.Equal(Load(KnownDataSets.LetterRecognition).Test.Labels, original.Test.Labels);
        }
    }

    public sealed class Shakespeare
    {
        [RealDataFact("shakespeare")]
        public void Has_a_client_per_speaking_role()
        {
            var data = Load(KnownDataSets.Shakespeare);

            Assert.Contains("ROMEO", data.Clients.Select(c => c.Name));
            Assert.Equal(TextAlphabet.Size, data.Train.Classes);
            Assert.DoesNotContain(TextAlphabet.Unknown, data.Train.Labels);
            // Counted independently from the same rules: 309 roles, of which 247 have text enough.
            Assert.Equal((247, 80_161, 18_767), (data.Clients.Count, data.Train.Count, data.Test.Count));
        }
    }

    public sealed class Emnist
    {
        private static void WriteArchive(TemporaryFolder folder, byte[] trainImages)
        {
            using var content = new MemoryStream();
            using (var zip = new ZipArchive(content, ZipArchiveMode.Create, leaveOpen: true))
            {
                Add("train-images-idx3", trainImages);
                Add("train-labels-idx1", IdxReaderTests.Idx(8, [2], [46, 0]));
                Add("test-images-idx3", IdxReaderTests.Idx(8, [1, 2, 2], [0, 0, 0, 0]));
                Add("test-labels-idx1", IdxReaderTests.Idx(8, [1], [3]));

                void Add(string part, byte[] idx)
                {
                    using var stream = zip.CreateEntry($"gzip/emnist-balanced-{part}-ubyte.gz").Open();
                    stream.Write(IdxReaderTests.Gzip(idx));
                }
            }

            folder.Write("emnist/gzip.zip", content.ToArray());
        }

        [Fact]
        public void Is_read_from_the_archive_and_turned_upright()
        {
            using var folder = new TemporaryFolder();
            WriteArchive(folder, IdxReaderTests.Idx(8, [2, 2, 2], [10, 20, 30, 40, 5, 6, 7, 8]));

            var data = KnownDataSets.Find("emnist-balanced").Load(folder.Path, 1);

            Assert.Equal(new[] { 10, 30, 20, 40, 5, 7, 6, 8 }.Select(p => p / 255f), data.Train.Features);
            Assert.Equal([46, 0], data.Train.Labels);
            Assert.Equal(47, data.Test.Classes);
        }

        [Fact]
        public void An_archive_without_the_part_is_an_error()
        {
            using var folder = new TemporaryFolder();
            WriteArchive(folder, IdxReaderTests.Idx(8, [2, 2, 2], [10, 20, 30, 40, 5, 6, 7, 8]));

            Assert.Contains(
                "the archive has no file emnist-digits-train-images-idx3-ubyte.gz",
                Assert.Throws<TrainingException>(() => KnownDataSets.Find("emnist-digits").Load(folder.Path, 1)).Message,
                StringComparison.Ordinal);
        }

        [Fact]
        public void An_archive_cut_short_is_an_error()
        {
            using var folder = new TemporaryFolder();
            WriteArchive(folder, IdxReaderTests.Idx(8, [2, 2, 2], [10, 20, 30, 40, 5, 6, 7, 8]));
            var archive = File.ReadAllBytes(folder.File("emnist/gzip.zip"));
            folder.Write("emnist/gzip.zip", archive[..(archive.Length / 2)]);

            Assert.Contains("cut short", Assert.Throws<TrainingException>(() => KnownDataSets.Find("emnist-balanced").Load(folder.Path, 1)).Message, StringComparison.Ordinal);
        }
    }

    public sealed class Mnist
    {
        [RealDataFact("mnist")]
        public void The_pathological_split_of_the_paper_works_on_the_real_digits()
        {
            var data = FederatedDataFactory.Create(
                new DataOptions { Set = "mnist", Partition = new ShardsPartition { Clients = 100 } }, RealData.Folder!, 1);
            var summary = PartitionSummary.Of(data);

            Assert.All(Enumerable.Range(0, 100), k => Assert.InRange(summary[k].ToArray().Count(n => n > 0), 1, 4));
            Assert.All(summary.Sizes, size => Assert.Equal(data.Train.Count / 100, size));
        }
    }
}
