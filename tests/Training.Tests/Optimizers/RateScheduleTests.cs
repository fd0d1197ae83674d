using Federated.Training.Optimizers;

namespace Federated.Training.Tests.Optimizers;

public sealed class RateScheduleTests
{
    [Fact]
    public void Every_schedule_starts_at_the_full_rate_and_never_rises()
    {
        RateScheduleOptions[] all = [new ConstantRate(), new StepRate { Every = 7 }, new ExponentialRate(), new InverseSquareRootRate(), new CosineRate()];
        foreach (var options in all)
        {
            var last = 1.0;
            Assert.Equal(1.0, RateSchedule.Factor(options, 0, 50));
            for (var version = 1; version <= 60; version++)
            {
                var factor = RateSchedule.Factor(options, version, 50);
                Assert.InRange(factor, 0, last);
                last = factor;
            }
        }
    }

    [Fact]
    public void Known_points()
    {
        Assert.Equal(0.01, RateSchedule.Factor(new StepRate { Every = 10 }, 29, 0), 15);
        Assert.Equal(0.998 * 0.998, RateSchedule.Factor(new ExponentialRate(), 2, 0), 15);
        Assert.Equal(0.5, RateSchedule.Factor(new InverseSquareRootRate { Warm = 5 }, 15, 0), 15);
        Assert.Equal(0.55, RateSchedule.Factor(new CosineRate { Floor = 0.1 }, 25, 50), 15);
        Assert.Equal(0.1, RateSchedule.Factor(new CosineRate { Floor = 0.1 }, 80, 50), 15);
    }

    [Fact]
    public void A_cosine_without_an_end_is_refused() =>
        Assert.Throws<TrainingException>(() => RateSchedule.Factor(new CosineRate(), 1, 0));
}
