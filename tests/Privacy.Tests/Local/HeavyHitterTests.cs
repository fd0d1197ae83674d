using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class HeavyHitterTests
{
    public sealed class Prefix_extension
    {
        [Theory]
        [InlineData(10, 32, 6, 6)]
        [InlineData(16, 32, 4, 8)]
        [InlineData(1, 8, 4, 3)]
        public void Has_a_group_for_every_prefix_length(int k, int bits, int step, int groups) => Assert.Equal(
            groups, new PrefixExtension(new PrefixExtensionOptions { HeavyHitters = k, ItemBits = bits, StepBits = step }).Groups);

        [Fact]
        public void Finds_the_frequent_items_and_estimates_their_share()
        {
            // Six items with a tenth of 12 000 clients each, the rest spread over 4000 others, 16 bits, ε = 4.
            var protocol = new PrefixExtension(new PrefixExtensionOptions { Epsilon = 4, ItemBits = 16, HeavyHitters = 6, StepBits = 5 });
            using var random = new SimulationRandom(231);
            ulong[] frequent = [0x1234, 0x1235, 0x8000, 0xFFFF, 0x0007, 0x4A4A];
            var reports = new List<PrefixReport>();
            for (var i = 0; i < 12_000; i++)
            {
                var item = i % 10 < 6 ? frequent[i % 10] : random.NextBelow(4000UL) * 13;
                reports.Add(protocol.Randomize(item, random.NextBelow(protocol.Groups), random));
            }

            var found = protocol.Identify(reports);
            Assert.Equal(frequent.Order(), found.Select(f => f.Item).Order());
            var deviation = protocol.EstimateDeviation(12_000 / protocol.Groups);
            Assert.All(found, f => Assert.Equal(0.1, f.Frequency, (Statistics.Z * deviation) + 0.05));
        }

        [Fact]
        public void Asks_each_client_once()
        {
            var protocol = new PrefixExtension(new PrefixExtensionOptions { Epsilon = 2 });
            Assert.InRange(protocol.Epsilon, 2 - 1e-9, 2);
            using var random = new SimulationRandom(232);
            Assert.Throws<PrivacyException>(() => protocol.Randomize(1UL << 32, 0, random));
            Assert.Throws<PrivacyException>(() => protocol.Identify([]));
        }
    }

    public sealed class Fake_reports
    {
        [Theory]
        [InlineData(202, 3, 1, 996.0)]
        [InlineData(202, 5, 1, 125.4)]
        [InlineData(408, 5, 1, 126.4)]
        [InlineData(202, 5, 0.5, 347.7)]
        public void Have_the_reference_threshold(int fakes, int z, double epsilon, double threshold) =>
            Assert.Equal(threshold, FakeReportDetector.Threshold(new UnaryEncoding(epsilon, 100), 20_000 + fakes, z, 0.01), 0.1);

        [Fact]
        public void That_push_targets_together_stand_out()
        {
            var oracle = new UnaryEncoding(1, 40);
            using var random = new SimulationRandom(233);
            var reports = new List<ReadOnlyMemory<byte>>();
            for (var i = 0; i < 4000; i++)
            {
                var report = new byte[oracle.ReportBytes];
                oracle.Randomize(i % 40, report, random);
                if (i < 120)
                {
                    // 3 % fakes: the targets 0 … 5 raised, and honest noise elsewhere so that the weight gives nothing away.
                    report[0] |= 0x3F;
                }

                reports.Add(report);
            }

            var threshold = FakeReportDetector.Threshold(oracle, reports.Count, 5, 0.01);
            Assert.True(FakeReportDetector.JointSupport(reports, [0, 1, 2, 3, 4]) > threshold);
            for (var start = 6; start < 35; start++)
            {
                Assert.True(FakeReportDetector.JointSupport(reports, [.. Enumerable.Range(start, 5)]) < threshold);
            }
        }
    }
}
