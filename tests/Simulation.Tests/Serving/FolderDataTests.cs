using Federated.Simulation.Serving;
using Federated.Training;
using Federated.Training.Models;

namespace Federated.Simulation.Tests.Serving;

public sealed class FolderDataTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("federated-data-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void TablesAreOneClientsWhateverTheFiles()
    {
        Write("a.csv", "x,label,y", Rows(30));
        Write("b.csv", "x,label,y", Rows(20));
        var examples = new FolderData(folder).Load(Plan(2));
        Assert.Equal((40, 10, 2, 2), (examples.Train.Length, examples.Test.Length, examples.TrainSet.FeatureCount, examples.TrainSet.Classes));
        Assert.Equal(examples.Train.Length, examples.TrainSet.Count);
    }

    [Fact]
    public void AClassThatThisClientHasNotSeenKeepsItsNumber()
    {
        Write("a.csv", "x,label,y", Rows(30, label: _ => 2));
        Assert.All(new FolderData(folder).Load(Plan(3)).TrainSet.Labels, label => Assert.Equal(2, label));
    }

    [Fact]
    public void ADescriptionGoesBeforeWhatLiesBesideIt()
    {
        Write("a.csv", "x,outcome,y", Rows(30));
        File.WriteAllText(Path.Combine(folder, "data.yaml"), """
            source:
              kind: csv
              files: [{path: a.csv}]
              header: true
              label: {column: outcome}
            """);
        Assert.Equal(24, new FolderData(folder).Load(Plan(2)).Train.Length);
    }

    [Fact]
    public void ImagesNeedTheirLabels()
    {
        File.WriteAllBytes(Path.Combine(folder, "train-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        Assert.Contains("has no labels beside it", Refusal(Plan(2)), StringComparison.Ordinal);
    }

    [Fact]
    public void ImagesAndTheirLabelsAreRead()
    {
        File.WriteAllBytes(Path.Combine(folder, "train-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 255, 0]);
        File.WriteAllBytes(Path.Combine(folder, "train-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
        var examples = new FolderData(folder).Load(Plan(2));
        Assert.Equal([0f, 1, 1, 0], examples.TrainSet.Features);
        Assert.Equal([1, 0], examples.TrainSet.Labels);
        Assert.Empty(examples.Test);
    }

    [Fact]
    public void DataOfAnotherFormThanTheModelsAreRefused()
    {
        Write("a.csv", "x,label,y,z", Rows(30).Select(row => row + ",1"));
        Assert.Contains("these data", Refusal(Plan(2)), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderWithNothingKnownSaysWhatWouldBe() => Assert.Contains("CSV files with a header and a column 'label'", Refusal(Plan(2)), StringComparison.Ordinal);

    [Fact]
    public void AFolderThatIsNotThereSaysSo() =>
        Assert.Contains("There is no folder", Assert.Throws<TrainingException>(() => new FolderData(Path.Combine(folder, "x")).Load(Plan(2))).Message, StringComparison.Ordinal);

    private static ClientPlan Plan(int classes) => new() { Model = new SoftmaxRegressionOptions(), ExampleShape = [2], Classes = classes };

    private static IEnumerable<string> Rows(int count, Func<int, int>? label = null) => Enumerable.Range(0, count).Select(i => $"{i},{label?.Invoke(i) ?? i % 2},{i * i}");

    private string Refusal(ClientPlan plan) => Assert.Throws<TrainingException>(() => new FolderData(folder).Load(plan)).Message;

    private void Write(string name, string header, IEnumerable<string> rows) => File.WriteAllLines(Path.Combine(folder, name), rows.Prepend(header));
}
