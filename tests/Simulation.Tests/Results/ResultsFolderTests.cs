using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Configuration.Binding;

namespace Federated.Simulation.Tests.Results;

public sealed class ResultsFolderTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("fed-results-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private ResultsFolder Open(string name = "run", bool updates = true)
    {
        Assert.True(ResultsFolder.TryOpen(Path.Combine(root, name), updates, out var folder, out var problem), problem);
        return folder;
    }

    private static MetricsRow Row(int version, double epsilon = double.NaN) => new()
    {
        Version = version,
        Round = version,
        VirtualSeconds = version / 3.0,
        WallSeconds = 0.25,
        Accuracy = 0.5,
        Loss = double.NaN,
        ClientUpdates = 10L * version,
        BytesUp = 1L << 40,
        BytesDown = 7,
        MeanStaleness = 1.5,
        Epsilon = epsilon,
    };

    private static RunSummary Summary() => new()
    {
        Run = "s",
        Seed = ulong.MaxValue,
        Strategy = "synchronous × mean",
        Clients = 3,
        Versions = 2,
        Accepted = 5,
        Rejected = 1,
        Lost = 2,
        Dispatched = 8,
        FinalAccuracy = 0.75,
        VirtualSeconds = 12.5,
        WallSeconds = 1,
        BytesUp = 10,
        BytesDown = 20,
        FinishReason = "versions",
        FinishDetail = "It reached version 2.",
        ClientScores = [new ClientScore(0, "Zürich", 10, 0.5, 0.7)],
        Baselines = [new BaselineScore("local", 0, "Zürich", 100, 0.4, 0.9, [new ClientScore(0, "Zürich", 10, 0.3, double.NaN)])],
    };

    public sealed class Marker : IDisposable
    {
        private readonly ResultsFolderTests tests = new();

        public void Dispose() => tests.Dispose();

        [Fact]
        public void AFolderBeingWrittenSaysSo()
        {
            using var folder = tests.Open();
            Assert.True(File.Exists(Path.Combine(folder.Path, ".partial")));
        }

        [Fact]
        public void AFinishedFolderDoesNot()
        {
            var folder = tests.Open();
            folder.Complete();
            folder.Dispose();
            Assert.False(File.Exists(Path.Combine(folder.Path, ".partial")));
        }

        [Fact]
        public void AFolderLeftWithoutCompletionStaysMarked()
        {
            var folder = tests.Open();
            folder.Dispose();
            Assert.True(RecordedRun.TryRead(folder.Path, out var run, out _));
            Assert.True(run.IsPartial);
        }

        [Fact]
        public void AnEarlierRunsFilesGoAndOtherFilesStay()
        {
            var first = tests.Open();
            first.WriteSummary(Summary());
            first.Complete();
            File.WriteAllText(Path.Combine(first.Path, "notes.txt"), "mine");
            using var second = tests.Open(updates: false);
            Assert.Equal([".partial", "metrics.csv", "notes.txt"], Directory.EnumerateFiles(second.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        }

        [Fact]
        public void AFolderThatCannotBeMadeIsToldBeforeAnythingIsComputed()
        {
            var file = Path.Combine(tests.root, "file");
            File.WriteAllText(file, "");
            Assert.False(ResultsFolder.TryOpen(Path.Combine(file, "run"), true, out _, out var problem));
            Assert.StartsWith($"The results folder {file}/run cannot be written: ", problem, StringComparison.Ordinal);
        }
    }

    public sealed class Files : IDisposable
    {
        private readonly ResultsFolderTests tests = new();

        public void Dispose() => tests.Dispose();

        [Fact]
        public void MetricsHaveTheColumnsOfTheFormatAndReadBack()
        {
            var folder = tests.Open();
            folder.Metrics.Write(Row(1));
            folder.Metrics.Write(Row(2, epsilon: 0.1));
            var path = Path.Combine(folder.Path, "metrics.csv");

            // Read while it is open: rows are there as soon as they are written.
            var rows = MetricsFile.Read(path);
            Assert.Equal([Row(1), Row(2, 0.1)], rows);
            folder.Dispose();
            Assert.Equal(
                "version,round,virtual_s,wall_s,accuracy,loss,client_updates,bytes_up,bytes_down,mean_staleness,epsilon\n"
                + "1,1,0.3333333333333333,0.25,0.5,NaN,10,1099511627776,7,1.5,\n"
                + "2,2,0.6666666666666666,0.25,0.5,NaN,20,1099511627776,7,1.5,0.1\n",
                File.ReadAllText(path));
        }

        [Fact]
        public void AHalfWrittenLastLineIsLeftOut()
        {
            var folder = tests.Open();
            folder.Metrics.Write(Row(1));
            folder.Dispose();
            var path = Path.Combine(folder.Path, "metrics.csv");
            File.AppendAllText(path, "2,2,0.66");
            Assert.Single(MetricsFile.Read(path));
        }

        [Fact]
        public void ABrokenLineIsNamed()
        {
            var folder = tests.Open();
            folder.Dispose();
            var path = Path.Combine(folder.Path, "metrics.csv");
            File.AppendAllText(path, "x,2\n");
            Assert.StartsWith($"{path}:2: ", Assert.Throws<SimulationException>(() => MetricsFile.Read(path)).Message, StringComparison.Ordinal);
        }

        [Fact]
        public void UpdatesHaveTheColumnsOfTheFormat()
        {
            var folder = tests.Open();
            folder.Updates!.Write(new UpdateRow(7, 3, 4, 1, 20, 200, 0.5, 105, 1.5, 0.25, 0.7, UpdateOutcome.Accepted, "", 10, 117));
            folder.Updates.Write(new UpdateRow(8, 5, 4, 2, 0, 10, 0, 0, 0, 0, 0, UpdateOutcome.Lost, "deadline-passed", 20, 40));
            folder.Dispose();
            Assert.Equal(
                "client,base_version,staleness,local_steps,examples,download_s,train_s,upload_s,aggregate_s,weight,outcome,reason,dispatched_s,ended_s\n"
                + "3,4,1,20,200,0.5,105,1.5,0.25,0.7,accepted,,10,117\n"
                + "5,4,2,0,10,0,0,0,0,0,lost,deadline-passed,20,40\n",
                File.ReadAllText(Path.Combine(folder.Path, "updates.csv")));
        }

        [Fact]
        public void UpdatesReadBackAndALineWithoutItsEndIsLeftOut()
        {
            var folder = tests.Open();
            UpdateRow[] rows =
            [
                new(0, 3, 4, 1, 20, 200, 0.5, 105, 1.5, 0.25, 0.7, UpdateOutcome.Accepted, "", 10, 117),
                new(1, 5, 4, 2, 0, 10, 0, 0, 0, 0, 0, UpdateOutcome.Lost, "deadline-passed", 20, 40),
            ];
            folder.Updates!.Write(rows[0]);
            folder.Updates.Write(rows[1]);
            folder.Dispose();
            var path = Path.Combine(folder.Path, "updates.csv");
            File.AppendAllText(path, "6,4,2,0,1");
            Assert.Equal(rows, UpdatesFile.Read(path));
        }

        [Fact]
        public void SummaryHasTheFieldsOfTheFormatAndReadsBack()
        {
            var folder = tests.Open();
            folder.WriteSummary(Summary());
            folder.Complete();
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Path, "summary.json")));
            string[] format =
            [
                "run", "seed", "strategy", "clients", "versions", "client_updates", "accepted", "rejected", "lost", "dispatched", "final_accuracy", "best_accuracy",
                "final_loss", "time_to_target_s", "virtual_s", "wall_s", "peak_rss_bytes", "bytes_up", "bytes_down", "epsilon", "delta", "model_sha256",
            ];
            Assert.Equal(format, json.RootElement.EnumerateObject().Select(p => p.Name).Take(format.Length));
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("epsilon").ValueKind);

            Assert.True(RecordedRun.TryRead(folder.Path, out var run, out var problem), problem);
            var read = run.Summary!;
            Assert.Equal(Summary() with { ClientScores = read.ClientScores, Baselines = read.Baselines }, read);
        }

        [Fact]
        public void SummaryKeepsTheParticipationBiasAndNotEveryClientsPart()
        {
            using var folder = tests.Open();
            folder.WriteSummary(Summary() with { Participation = new ParticipationSummary(0.25, [new ClientParticipation(0, 3, 0.5, 0.75)]) });

            var read = SummaryFile.Read(Path.Combine(folder.Path, "summary.json"));

            Assert.Equal(0.25, read.Participation!.Bias);
            Assert.Empty(read.Participation.Clients);
        }

        [Fact]
        public void ScoresAreATableOfTheirOwnWhereThereAreSome()
        {
            var folder = tests.Open();
            folder.WriteSummary(Summary());
            Assert.Equal(
                "training,trained_on,tested_on,test_examples,accuracy,loss,steps\n"
                + "federated,all,all,,0.75,NaN,\n"
                + "federated,all,Zürich,10,0.5,0.7,\n"
                + "local,Zürich,all,,0.4,0.9,100\n"
                + "local,Zürich,Zürich,10,0.3,NaN,100\n",
                File.ReadAllText(Path.Combine(folder.Path, "scores.csv")));
            folder.Complete();
            using var plain = tests.Open("plain");
            plain.WriteSummary(Summary() with { ClientScores = [], Baselines = [] });
            Assert.False(File.Exists(Path.Combine(plain.Path, "scores.csv")));
        }

        [Fact]
        public void ParticipationIsATableAndItsBiasANumber()
        {
            using var folder = tests.Open();
            folder.WriteSummary(Summary() with { Participation = new ParticipationSummary(0.125, [new ClientParticipation(0, 7, 0.25, 0.5)]) });
            Assert.Equal("client,updates,intended_share,effective_share\n0,7,0.25,0.5\n", File.ReadAllText(Path.Combine(folder.Path, "participation.csv")));
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.Path, "summary.json")));
            Assert.Equal(0.125, json.RootElement.GetProperty("participation_bias").GetDouble());
        }

        [Fact]
        public void TheModelIsReadableAsSafetensors()
        {
            using var folder = tests.Open();
            var layout = ParameterLayout.Of(("w", [2, 2]), ("b", [2]));
            folder.WriteModel(new SafetensorsWriter { Metadata = new Dictionary<string, string> { ["run"] = "s" } }.Add<float>(layout, new float[] { 1, 2, 3, 4, 5, 6 }));
            using var file = File.OpenRead(Path.Combine(folder.Path, "model.safetensors"));
            var header = new byte[BitConverter.ToInt64(ReadExactly(file, 8))];
            file.ReadExactly(header);
            using var json = JsonDocument.Parse(header);
            Assert.Equal("[2,2]", json.RootElement.GetProperty("w").GetProperty("shape").GetRawText());
            Assert.Equal("s", json.RootElement.GetProperty("__metadata__").GetProperty("run").GetString());
            Assert.Equal([1, 2, 3, 4, 5, 6], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(ReadExactly(file, 24)).ToArray());
        }

        [Fact]
        public void AFileThatCannotBeFinishedLeavesNothingBehind()
        {
            using var folder = tests.Open();
            var tooLarge = new SafetensorsWriter().Add<float>(ParameterLayout.Of(("w", [1])), new float[] { 1e6f }, ElementType.F16);
            Assert.Throws<Federated.Aggregation.AggregationException>(() => folder.WriteModel(tooLarge));
            Assert.Equal([".partial", "metrics.csv", "updates.csv"], Directory.EnumerateFiles(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        }

        [Fact]
        public void TheConfigurationIsWrittenResolved()
        {
            using var folder = tests.Open();
            folder.WriteConfiguration(new SampleOptions { BatchSize = 7 });
            Assert.Contains("batchSize: 7\n", File.ReadAllText(Path.Combine(folder.Path, "config.yaml")), StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.EnumerateFiles(folder.Path), file => file.EndsWith(".new", StringComparison.Ordinal));
        }

        private static byte[] ReadExactly(Stream stream, int count)
        {
            var bytes = new byte[count];
            stream.ReadExactly(bytes);
            return bytes;
        }
    }

    [Fact]
    public void AFolderWithoutARunIsNotRead()
    {
        Assert.False(RecordedRun.TryRead(root, out _, out var problem));
        Assert.Equal($"{root} holds no metrics.csv; name the folder that a run wrote (its --out).", problem);
    }
}
