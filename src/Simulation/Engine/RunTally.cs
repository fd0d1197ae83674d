namespace Federated.Simulation.Engine;

/// <summary>Running sums of a simulation, for its rows and its summary.</summary>
internal sealed class RunTally
{
    private long foldedSinceRow;
    private double stalenessSinceRow;
    private int foldedSinceVersion;
    private double stalenessSinceVersion;

    public long Events { get; set; }

    public long BytesUp { get; set; }

    public long BytesDown { get; set; }

    public double FinalAccuracy { get; private set; } = double.NaN;

    public double FinalLoss { get; private set; } = double.NaN;

    public double BestAccuracy { get; private set; } = double.NaN;

    public double TimeToTarget { get; private set; } = double.NaN;

    public double MeanStaleness => foldedSinceRow == 0 ? 0 : stalenessSinceRow / foldedSinceRow;

    public void Fold(int staleness)
    {
        foldedSinceRow++;
        foldedSinceVersion++;
        stalenessSinceRow += staleness;
        stalenessSinceVersion += staleness;
    }

    public double EndVersion()
    {
        var mean = foldedSinceVersion == 0 ? 0 : stalenessSinceVersion / foldedSinceVersion;
        (foldedSinceVersion, stalenessSinceVersion) = (0, 0);
        return mean;
    }

    public void Evaluated(double time, double accuracy, double loss, double target)
    {
        (FinalAccuracy, FinalLoss) = (accuracy, loss);
        if (!(accuracy <= BestAccuracy) && !double.IsNaN(accuracy))
        {
            BestAccuracy = accuracy;
        }

        if (target > 0 && accuracy >= target && double.IsNaN(TimeToTarget))
        {
            TimeToTarget = time;
        }

        (foldedSinceRow, stalenessSinceRow) = (0, 0);
    }
}
