using Federated.Simulation.Engine;

namespace Federated.Simulation.Tests.Engine;

public sealed class RunTallyTests
{
    [Fact]
    public void The_target_is_reached_by_the_first_evaluation_that_is_as_good()
    {
        var tally = new RunTally();
        tally.Evaluated(1, 0.79, 1, target: 0.8);
        Assert.Equal(double.NaN, tally.TimeToTarget);
        tally.Evaluated(2, 0.8, 1, target: 0.8);
        tally.Evaluated(3, 0.9, 1, target: 0.8);
        Assert.Equal(2, tally.TimeToTarget);
    }

    [Fact]
    public void The_best_is_remembered_and_the_last_told()
    {
        var tally = new RunTally();
        foreach (var (accuracy, time) in ((double[])[0.5, 0.7, double.NaN, 0.6]).Select((accuracy, time) => (accuracy, time)))
        {
            tally.Evaluated(time, accuracy, 1 - accuracy, target: 0);
        }

        Assert.Equal((0.7, 0.6, 0.4, double.NaN), (tally.BestAccuracy, tally.FinalAccuracy, tally.FinalLoss, tally.TimeToTarget));
    }

    [Fact]
    public void Staleness_is_that_of_the_updates_since_the_last_row_and_the_last_version()
    {
        var tally = new RunTally();
        tally.Fold(1);
        tally.Fold(3);
        Assert.Equal(2, tally.EndVersion());
        tally.Fold(8);
        Assert.Equal(4, tally.MeanStaleness);
        tally.Evaluated(1, 0.5, 1, target: 0);
        Assert.Equal(0, tally.MeanStaleness);
        tally.Fold(2);
        Assert.Equal((5, 2), (tally.EndVersion(), tally.MeanStaleness));
        Assert.Equal(0, tally.EndVersion());
    }
}
