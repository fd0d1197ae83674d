using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Loading.Csv;

/// <summary>Loads tables: reads, holds rows out, fits the encoding on the training rows and encodes all rows.</summary>
public static class CsvSource
{
    public const string Name = "csv";

    /// <summary>Loads training and test rows; a client is a file, or a value of the client column.</summary>
    /// <param name="dataDirectory">What relative paths are relative to.</param>
    /// <param name="seed">Decides which rows are held out.</param>
    public static FederatedData Load(CsvSourceOptions options, string dataDirectory, ulong seed)
    {
        if (options.TestFiles.Count > 0 && options.TestLast is not null)
        {
            throw new TrainingException($"Source '{options.Name}': both testFiles and testLast are given; give one of them.");
        }

        if (options.Delimiter.Length != 1)
        {
            throw new TrainingException($"Source '{options.Name}': delimiter must be one character; it is '{options.Delimiter}'.");
        }

        if (options.Files.Count == 0)
        {
            throw new TrainingException($"Source '{options.Name}': 'files' is empty; at least one file is needed.");
        }

        var table = new CsvTable(options);
        Read(table, options.Files, dataDirectory);
        var trainRows = table.Rows;
        Read(table, options.TestFiles, dataDirectory);

        var (labels, classes) = table.EncodeLabels();
        var clients = table.Clients.Take(trainRows).Distinct().ToArray();
        var isTest = HeldOut(options, table, labels, trainRows, clients, seed);
        var encode = Fit(options, table, isTest, clients);

        var train = new Rows(options.Name, table, labels, classes, encode);
        var test = new Rows(options.Name, table, labels, classes, encode);
        for (var row = 0; row < table.Rows; row++)
        {
            (isTest[row] ? test : train).Add(row);
        }

        var trainOf = train.ByClient();
        var testOf = test.ByClient();
        return new FederatedData(
            train.ToDataSet(),
            test.ToDataSet(),
            [.. clients.Select(client => new ClientShard(client, trainOf[client], testOf.GetValueOrDefault(client, [])))]);
    }

    private static void Read(CsvTable table, IReadOnlyList<CsvFile> files, string dataDirectory)
    {
        foreach (var file in files)
        {
            table.Add(Path.Combine(dataDirectory, file.Path), file.Client ?? Path.GetFileNameWithoutExtension(file.Path));
        }
    }

    private static bool[] HeldOut(CsvSourceOptions options, CsvTable table, int[] labels, int trainRows, string[] clients, ulong seed)
    {
        var isTest = new bool[table.Rows];
        if (options.TestFiles.Count > 0)
        {
            isTest.AsSpan(trainRows).Fill(true);
        }
        else if (options.TestLast is { } last)
        {
            if (last >= table.Rows)
            {
                throw new TrainingException($"Source '{options.Name}': testLast is {last}, but there are {table.Rows} rows; at least one must be left to train on.");
            }

            isTest.AsSpan(table.Rows - last).Fill(true);
        }
        else
        {
            var rowsOf = Enumerable.Range(0, table.Rows).ToLookup(row => table.Clients[row]);
            for (var k = 0; k < clients.Length; k++)
            {
                foreach (var row in HoldOut.Stratified([.. rowsOf[clients[k]]], labels, options.TestShare, SeededRandom.Derive(seed, "hold-out", k)))
                {
                    isTest[row] = true;
                }
            }
        }

        var training = Enumerable.Range(0, trainRows).Where(row => !isTest[row]).Select(row => table.Clients[row]).ToHashSet();
        var withoutTraining = clients.FirstOrDefault(client => !training.Contains(client));
        if (withoutTraining is not null)
        {
            throw new TrainingException($"Source '{options.Name}': all rows of client '{withoutTraining}' are held out; every client needs at least one row to train on.");
        }

        return isTest.Contains(true)
            ? isTest
            : throw new TrainingException($"Source '{options.Name}': no row is held out for testing; raise testShare or give test files.");
    }

    private static Func<int, CsvEncoder> Fit(CsvSourceOptions options, CsvTable table, bool[] isTest, string[] clients)
    {
        int[] training = [.. Enumerable.Range(0, table.Rows).Where(row => !isTest[row])];
        var pooled = CsvEncoder.Fit(options.Name, table, training);
        if (options.Fit == CsvFit.Pooled)
        {
            return _ => pooled;
        }

        var rowsOf = training.ToLookup(row => table.Clients[row]);
        var own = clients.ToDictionary(client => client, client => pooled.Refit(options.Name, table, [.. rowsOf[client]]));
        return row => own.GetValueOrDefault(table.Clients[row], pooled);
    }

    /// <summary>The rows of one set, being collected.</summary>
    private sealed class Rows(string name, CsvTable table, int[] labels, int classes, Func<int, CsvEncoder> encoder)
    {
        private readonly List<int> rows = [];

        public void Add(int row) => rows.Add(row);

        public Dictionary<string, int[]> ByClient() => Enumerable.Range(0, rows.Count)
            .GroupBy(i => table.Clients[rows[i]])
            .ToDictionary(group => group.Key, group => group.ToArray());

        public DataSet ToDataSet()
        {
            var width = encoder(rows[0]).Width;
            if ((long)rows.Count * width > Array.MaxLength)
            {
                throw new TrainingException($"Source '{name}': {rows.Count} rows of {width} features are more than the {Array.MaxLength} values that one data set can hold.");
            }

            var features = new float[rows.Count * width];
            for (var i = 0; i < rows.Count; i++)
            {
                var encoded = features.AsSpan(i * width, width);
                encoder(rows[i]).Encode(table, rows[i], encoded);
                foreach (var value in encoded)
                {
                    if (!float.IsFinite(value))
                    {
                        throw new TrainingException($"{table.Origin(rows[i])}: a number is too large for a feature (at most {float.MaxValue:E0}); scale the column.");
                    }
                }
            }

            return new DataSet(name, features, [.. rows.Select(row => labels[row])], [width], classes);
        }
    }
}
