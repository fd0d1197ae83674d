namespace Federated.Simulation.Results;

/// <summary>
/// <c>scores.csv</c>, where there is something to compare: the final model on the test examples of each client, and what the same model
/// learns without federation. One row per trained model and test set.
/// </summary>
public static class ScoresFile
{
    public const string Name = "scores.csv";

    /// <summary>In the columns <c>trained_on</c> and <c>tested_on</c>: the examples of all clients together.</summary>
    private const string All = "all";

    /// <summary>Whether the run has any scores to write.</summary>
    public static bool IsNeeded(RunSummary summary) => summary.ClientScores.Count > 0 || summary.Baselines.Count > 0;

    public static void Write(RunSummary summary, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(summary);
        using var csv = new CsvWriter(stream, "training", "trained_on", "tested_on", "test_examples", "accuracy", "loss", "steps");
        Row(csv, "federated", All, All, double.NaN, summary.FinalAccuracy, summary.FinalLoss, double.NaN);
        foreach (var score in summary.ClientScores)
        {
            Row(csv, "federated", All, score.Name, score.TestExamples, score.Accuracy, score.Loss, double.NaN);
        }

        foreach (var baseline in summary.Baselines)
        {
            var trainedOn = baseline.Client < 0 ? All : baseline.Name;
            Row(csv, baseline.Kind, trainedOn, All, double.NaN, baseline.Accuracy, baseline.Loss, baseline.Steps);
            foreach (var score in baseline.Scores)
            {
                Row(csv, baseline.Kind, trainedOn, score.Name, score.TestExamples, score.Accuracy, score.Loss, baseline.Steps);
            }
        }
    }

    private static void Row(CsvWriter csv, string training, string trainedOn, string testedOn, double examples, double accuracy, double loss, double steps)
    {
        csv.Write(training);
        csv.Write(trainedOn);
        csv.Write(testedOn);
        csv.WriteOptional(examples);
        csv.Write(accuracy);
        csv.Write(loss);
        csv.WriteOptional(steps);
        csv.EndRow();
    }
}
