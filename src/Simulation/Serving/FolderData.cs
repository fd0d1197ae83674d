using System.Globalization;
using Federated.Simulation.Configuration;
using Federated.Training;
using Federated.Training.Data;
using Federated.Training.Data.Loading;
using Federated.Training.Data.Loading.Csv;

namespace Federated.Simulation.Serving;

/// <summary>A client's own folder of data.</summary>
/// <remarks>
/// What is in it decides: (1) <c>data.yaml</c>, a data section as in an experiment, with paths relative to the folder; all its clients' examples
/// are this client's. (2) A pair of IDX files, <c>train-images-idx3-ubyte</c> and <c>train-labels-idx1-ubyte</c>, with or without <c>.gz</c>;
/// the pair beginning with <c>t10k</c> is for evaluation where it is there. (3) CSV files with a header: the column <c>label</c> holds the class,
/// 0 to C − 1, all others are numbers; columns are standardised by this client's own rows, and a fifth of the rows is held out for evaluation.
/// </remarks>
public sealed class FolderData(string folder) : IClientData
{
    private const string Schema = "data.yaml";
    private const string Label = "label";

    public int? Examples => null;

    public ClientExamples Load(ClientPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (!Directory.Exists(folder))
        {
            throw new TrainingException($"There is no folder {Path.GetFullPath(folder)}; --data needs one with this client's examples.");
        }

        var examples = File.Exists(Path.Combine(folder, Schema)) ? Described() : Find("train-images-idx3-ubyte") is { } images ? Images(images, plan) : Tables(plan);
        DataForm.Check(examples.TrainSet, plan);
        return examples;
    }

    private ClientExamples Described()
    {
        var result = ConfigurationFile.Load<DataOptions>(Path.Combine(folder, Schema));
        return result.IsValid
            ? All(FederatedDataFactory.Create(result.Value, folder, 1))
            : throw new TrainingException(string.Join(Environment.NewLine, result.Errors));
    }

    private ClientExamples Images(string images, ClientPlan plan)
    {
        var labels = Find("train-labels-idx1-ubyte") ?? throw new TrainingException($"{images} has no labels beside it: train-labels-idx1-ubyte is needed, with or without .gz.");
        var train = IdxReader.ReadDataSet(Path.GetFileName(folder), images, labels, plan.Classes);
        var test = Find("t10k-images-idx3-ubyte") is { } testImages && Find("t10k-labels-idx1-ubyte") is { } testLabels
            ? IdxReader.ReadDataSet(Path.GetFileName(folder), testImages, testLabels, plan.Classes)
            : null;
        return new ClientExamples(train, Indices(train), test ?? train, test is null ? [] : Indices(test));
    }

    private ClientExamples Tables(ClientPlan plan)
    {
        var files = Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0)
        {
            throw new TrainingException($"{Path.GetFullPath(folder)} holds no data that are known: CSV files with a header and a column '{Label}', a pair of IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte), or a {Schema} that describes them.");
        }

        return All(CsvSource.Load(
            new CsvSourceOptions
            {
                Name = Path.GetFileName(Path.GetFullPath(folder)),
                Files = [.. files.Select(file => new CsvFile { Path = Path.GetFullPath(file), Client = "own" })],
                Header = true,
                Label = new CsvLabel { Column = Label, Values = [.. Enumerable.Range(0, plan.Classes).Select(c => c.ToString(CultureInfo.InvariantCulture))] },
            },
            folder,
            seed: 1));
    }

    private string? Find(string name) => ((string[])[name, name + ".gz"]).Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);

    private static ClientExamples All(FederatedData data) => new(data.Train, Indices(data.Train), data.Test, Indices(data.Test));

    private static int[] Indices(DataSet data) => [.. Enumerable.Range(0, data.Count)];
}
