using Federated.Training.Data.Loading.Csv;

namespace Federated.Training.Data.Sets;

/// <summary>The schemas of the known tables.</summary>
public static class KnownTables
{
    internal const string LetterFile = "letter-recognition.data";

    /// <summary>
    /// Heart disease in four hospitals: the label is whether there is any disease (diagnosis above 0), one encoding for all hospitals is
    /// fitted on all training rows, a fifth of each hospital's rows is held out, with and without disease in proportion.
    /// </summary>
    /// <remarks>
    /// Detrano et al., American Journal of Cardiology 64 (1989); UCI, https://doi.org/10.24432/C52P4X, file heart-disease.names.
    /// A cholesterol or resting blood pressure of 0 is no measurement: Switzerland's cholesterol is 0 throughout. What a hospital did not
    /// measure is informative, so that every column with many gaps has an indicator.
    /// </remarks>
    public static CsvSourceOptions HeartDisease { get; } = new()
    {
        Name = KnownDataSets.HeartDisease,
        Files =
        [
            new CsvFile { Path = "processed.cleveland.data", Client = "Cleveland" },
            new CsvFile { Path = "processed.hungarian.data", Client = "Hungary" },
            new CsvFile { Path = "processed.switzerland.data", Client = "Switzerland" },
            new CsvFile { Path = "processed.va.data", Client = "Long Beach VA" },
        ],
        Columns =
        [
            Number("age"),
            Category("sex", "0", "1"),
            Category("cp", "1", "2", "3", "4"),
            Number("trestbps") with { Missing = ["0"], MissingIndicator = true },
            Number("chol") with { Missing = ["0"], MissingIndicator = true },
            Category("fbs", "0", "1") with { MissingIndicator = true },
            Category("restecg", "0", "1", "2"),
            Number("thalach") with { MissingIndicator = true },
            Category("exang", "0", "1"),
            Number("oldpeak") with { MissingIndicator = true },
            Category("slope", "1", "2", "3") with { MissingIndicator = true },
            Number("ca") with { MissingIndicator = true },
            Category("thal", "3", "6", "7") with { MissingIndicator = true },
            new CsvColumn { Name = "diagnosis" },
        ],
        Label = new CsvLabel { Column = "diagnosis", Above = 0 },
        TestShare = 0.2,
    };

    /// <summary>Letters as 16 standardised numbers; the last 4,000 rows are held out, as is customary.</summary>
    /// <remarks>Frey and Slate, "Letter Recognition Using Holland-style Adaptive Classifiers", Machine Learning 6 (1991); UCI, https://doi.org/10.24432/C5ZP40.</remarks>
    public static CsvSourceOptions LetterRecognition { get; } = new()
    {
        Name = KnownDataSets.LetterRecognition,
        Files = [new CsvFile { Path = LetterFile }],
        Columns = [new CsvColumn { Name = "letter" }, .. Enumerable.Range(1, 16).Select(i => Number($"feature {i}"))],
        Label = new CsvLabel { Column = "letter", Values = [.. Enumerable.Range('A', 26).Select(c => ((char)c).ToString())] },
        TestLast = 4000,
    };

    internal static FederatedData LoadHeartDisease(string folder, ulong seed) => CsvSource.Load(HeartDisease, folder, seed);

    /// <summary>UCI's file has letters and no header; an edition with a header has the numbers 0 (A) to 25 (Z).</summary>
    internal static FederatedData LoadLetterRecognition(string folder, ulong seed)
    {
        var options = LetterRecognition;
        using (var reader = new CsvReader(Path.Combine(folder, LetterFile), ','))
        {
            if (reader.Read() && reader.Fields[0].Length > 1 && !CsvNumber.TryParse(reader.Fields[0], out _))
            {
                options = options with
                {
                    Header = true,
                    Columns = [],
                    Label = new CsvLabel { Column = reader.Fields[0], Values = [.. Enumerable.Range(0, 26).Select(c => $"{c}")] },
                };
            }
        }

        // The whole file is one owner's: it has no clients of its own.
        return CsvSource.Load(options, folder, seed) with { Clients = [] };
    }

    private static CsvColumn Number(string name) => new() { Name = name };

    private static CsvColumn Category(string name, params string[] values) => new() { Name = name, Kind = CsvColumnKind.Categorical, Values = values };
}
