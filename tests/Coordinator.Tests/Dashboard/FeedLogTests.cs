using Federated.Coordinator.Dashboard.Feed;

namespace Federated.Coordinator.Tests.Dashboard;

public class FeedLogTests
{
    private static FeedLog<int> Filled(int capacity, bool thins, int count)
    {
        var log = new FeedLog<int>(capacity, thins);
        for (var i = 1; i <= count; i++)
        {
            log.Append(i);
        }

        return log;
    }

    public class Append
    {
        [Fact]
        public void NumbersPointsFromOneWithoutGaps() => Assert.Equal([1L, 2, 3], Filled(10, false, 3).Read(0, 10, newest: false).Sequences);

        [Fact]
        public void ForgetsTheOldestWhenItIsFull()
        {
            var slice = Filled(100, thins: false, 250).Read(0, 1000, newest: false);
            Assert.Equal(Enumerable.Range(151, 100), slice.Points);
            Assert.Equal(250, slice.Last);
        }

        [Fact]
        public void ThinsTheOlderOnesAndKeepsTheFirstAndTheNewest()
        {
            var slice = Filled(128, thins: true, 5000).Read(0, 1000, newest: false);
            Assert.InRange(slice.Points.Length, 64, 128);
            Assert.Equal(1, slice.Points[0]);
            Assert.Equal(5000, slice.Points[^1]);
            Assert.Equal(slice.Points.Order().Distinct(), slice.Points);
            Assert.Equal(slice.Sequences.Select(s => (int)s), slice.Points); // A point keeps its number.
        }
    }

    public class Read
    {
        [Fact]
        public void GivesWhatIsBehindACursor()
        {
            var slice = Filled(100, false, 50).Read(47, 100, newest: true);
            Assert.Equal((47, 50), (slice.After, slice.Last));
            Assert.Equal([48, 49, 50], slice.Points);
        }

        [Fact]
        public void OfTooManyTheNewestSayWhichPointTheyFollow()
        {
            var slice = Filled(100, false, 50).Read(10, 5, newest: true);
            Assert.Equal(45, slice.After); // A reader that stands at 10 sees its gap.
            Assert.Equal([46, 47, 48, 49, 50], slice.Points);
        }

        [Fact]
        public void WhatWasForgottenIsNoGap()
        {
            var slice = Filled(20, false, 50).Read(10, 100, newest: true);
            Assert.Equal(10, slice.After);
            Assert.Equal(31, slice.Points[0]);
        }

        [Fact]
        public void BehindTheEndThereIsNothing() => Assert.Empty(Filled(20, false, 50).Read(long.MaxValue, 10, newest: true).Points);
    }
}
