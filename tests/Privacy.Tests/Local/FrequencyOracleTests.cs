using System.Globalization;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class FrequencyOracleTests
{
    public static TheoryData<string> Names => [.. FrequencyOracles.All];

    public sealed class Every_oracle
    {
        public static TheoryData<string> Names => FrequencyOracleTests.Names;

        [Theory]
        [MemberData(nameof(Names))]
        public void Costs_exactly_epsilon_by_enumeration_of_its_reports(string name)
        {
            foreach (var (epsilon, items) in new[] { (0.5, 2), (1.0, 3), (1.5, 5), (3.0, 6) })
            {
                var oracle = FrequencyOracles.Create(name, epsilon, items);
                foreach (var seed in new ulong[] { 1, 2, 3 })
                {
                    var laws = Enumerable.Range(0, items).Select(_ => new List<double>()).ToArray();
                    foreach (var report in Reports(oracle, seed))
                    {
                        for (var item = 0; item < items; item++)
                        {
                            laws[item].Add(oracle.Probability(item, report));
                        }
                    }

                    Assert.All(laws, law => Assert.Equal(1, law.Sum(), 1e-10));
                    var worst = laws.SelectMany(a => laws.Select(b => a.Zip(b, (x, y) => Math.Log(x / y)).Max())).Max();
                    Assert.True(worst <= oracle.Epsilon + 1e-10, $"{name}: {worst} > {oracle.Epsilon}");
                    if (name != FrequencyOracles.LocalHashing)
                    {
                        Assert.Equal(oracle.Epsilon, worst, 1e-10); // under one seed all items may share a bucket
                    }
                }

                Assert.InRange(oracle.Epsilon, epsilon - 1e-9, epsilon);
            }
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Draws_reports_from_that_law(string name)
        {
            var oracle = FrequencyOracles.Create(name, 1.2, 5);
            using var random = SimulationRandom.Derive(141, name);
            var counts = new SortedDictionary<string, (long Count, double Probability)>(StringComparer.Ordinal);
            var hashing = name == FrequencyOracles.LocalHashing;
            if (!hashing)
            {
                foreach (var report in Reports(oracle, 0))
                {
                    counts[Convert.ToHexString(report)] = (0, oracle.Probability(3, report));
                }
            }

            const int n = 30_000;
            var bytes = new byte[oracle.ReportBytes];
            for (var i = 0; i < n; i++)
            {
                oracle.Randomize(3, bytes, random);
                if (hashing)
                {
                    // Seeds differ: the law of the bucket relative to the item's own.
                    var buckets = ((LocalHashing)oracle).Buckets;
                    var shift = (BitConverter.ToInt32(bytes, 8) - ((LocalHashing)oracle).Bucket(BitConverter.ToUInt64(bytes), 3) + buckets) % buckets;
                    var key = shift.ToString(CultureInfo.InvariantCulture);
                    counts[key] = (counts.GetValueOrDefault(key).Count + 1, oracle.Probability(3, bytes));
                }
                else
                {
                    var key = Convert.ToHexString(bytes);
                    counts[key] = (counts[key].Count + 1, counts[key].Probability);
                }
            }

            Statistics.AssertChiSquare([.. counts.Values.Select(c => c.Count)], [.. counts.Values.Select(c => c.Probability)]);
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Estimates_without_bias_with_its_stated_variance(string name)
        {
            const int items = 16, users = 200, repetitions = 300;
            var oracle = FrequencyOracles.Create(name, 1, items);
            using var random = SimulationRandom.Derive(142, name);
            var report = new byte[oracle.ReportBytes];
            var own = new double[repetitions];
            var absent = new double[repetitions];
            var frequencies = new double[items];
            for (var r = 0; r < repetitions; r++)
            {
                var state = new long[oracle.StateLength];
                for (var user = 0; user < users; user++)
                {
                    oracle.Randomize(user % 5 == 0 ? 0 : 1 + (user % 14), report, random); // item 15 is held by nobody
                    oracle.Accumulate(report, state);
                }

                oracle.Estimate(state, users, frequencies);
                (own[r], absent[r]) = (frequencies[0], frequencies[15]);
            }

            Statistics.AssertMean(own, 0.2, oracle.VariancePerReport(0.2) / users);
            Statistics.AssertMean(absent, 0, oracle.VariancePerReport(0) / users);
            Statistics.AssertVariance(own, 0.2, oracle.VariancePerReport(0.2) / users);
            Statistics.AssertVariance(absent, 0, oracle.VariancePerReport(0) / users);
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Sends_reports_of_one_size_and_refuses_others(string name)
        {
            var oracle = FrequencyOracles.Create(name, 1, 11);
            var state = new long[oracle.StateLength];
            Assert.Throws<PrivacyException>(() => oracle.Accumulate(new byte[oracle.ReportBytes + 1], state));
            Assert.Throws<PrivacyException>(() => oracle.Randomize(11, new byte[oracle.ReportBytes], new SimulationRandom(1)));
            Assert.Throws<PrivacyException>(() => oracle.Randomize(-1, new byte[oracle.ReportBytes], new SimulationRandom(1)));
            var forged = new byte[oracle.ReportBytes];
            Array.Fill(forged, (byte)0xFF);
            Assert.Throws<PrivacyException>(() => oracle.Accumulate(forged, state));
            Assert.All(state, c => Assert.Equal(0, c));
        }

        private static IEnumerable<byte[]> Reports(FrequencyOracle oracle, ulong seed)
        {
            var outcomes = oracle switch
            {
                GeneralizedRandomizedResponse g => g.Items,
                LocalHashing h => h.Buckets,
                HadamardResponse h => h.Size,
                _ => 1 << oracle.Items,
            };
            for (var i = 0; i < outcomes; i++)
            {
                var report = new byte[oracle.ReportBytes];
                if (oracle is LocalHashing)
                {
                    BitConverter.TryWriteBytes(report, seed);
                    BitConverter.TryWriteBytes(report.AsSpan(8), i);
                }
                else if (oracle is SubsetSelection subset && System.Numerics.BitOperations.PopCount((uint)i) != subset.SubsetSize)
                {
                    continue;
                }
                else if (report.Length == 4)
                {
                    BitConverter.TryWriteBytes(report, i);
                }
                else
                {
                    report[0] = (byte)i;
                }

                yield return report;
            }
        }
    }

    public sealed class Reference_values
    {
        [Theory]
        [InlineData(FrequencyOracles.RandomizedResponse, 5.662)]
        [InlineData(FrequencyOracles.OptimizedUnary, 3.682694377)]
        [InlineData(FrequencyOracles.LocalHashing, 3.691654617)]
        [InlineData(FrequencyOracles.SymmetricUnary, 3.917698089)]
        [InlineData(FrequencyOracles.Hadamard, 4.682694377)]
        [InlineData(FrequencyOracles.Subset, 3.111)]
        public void At_epsilon_1_and_16_items_are_met(string name, double variance) =>
            Assert.Equal(variance, FrequencyOracles.Create(name, 1, 16).VariancePerReport(0), 5e-4);

        [Fact]
        public void Of_ldp_frequency_oracles_csv_are_met()
        {
            foreach (var row in VectorFile.ReadIfThere("ldp_frequency_oracles"))
            {
                var (k, epsilon) = (row.Integer("k"), row.Number("eps"));
                FrequencyOracle oracle = row["oracle"] switch
                {
                    "GRR" => new GeneralizedRandomizedResponse(epsilon, k),
                    "OUE" => new UnaryEncoding(epsilon, k),
                    "SUE_RAPPOR_onetime" => new UnaryEncoding(epsilon, k, symmetric: true),
                    "OLH" => new LocalHashing(epsilon, k),
                    "BLH" => new LocalHashing(epsilon, k, buckets: 2),
                    "HR_B1" => new HadamardResponse(epsilon, k),
                    _ => new SubsetSelection(epsilon, k),
                };
                Assert.Equal(row.Number("p"), oracle.TrueSupport, 1e-9);
                Assert.Equal(row.Number("q"), oracle.FalseSupport, 1e-9);
                Assert.Equal(row.Number("nvar_f0"), oracle.VariancePerReport(0), row.Number("nvar_f0") * 1e-9);
                Assert.Equal(row.Number("nvar_f01"), oracle.VariancePerReport(0.1), row.Number("nvar_f01") * 1e-9);
                Assert.Equal(row.Integer("bits"), oracle.ReportBits);
            }
        }

        /// <summary>
        /// 300 estimates of 400 clients each, a tenth of which hold item 0: the reference's program (2000 clients) on ours. The variance of 300
        /// estimates is known to 8 %, theirs and ours; half of the noise (ε doubled) would give a ratio below 0.5.
        /// </summary>
        [VectorFact("ldp_mc_check")]
        public void Of_ldp_mc_check_csv_are_those_of_simulated_reports()
        {
            const int n = 400, repetitions = 300, k = 16;
            var seed = 147UL;
            foreach (var row in VectorFile.Read("ldp_mc_check"))
            {
                var name = row["oracle"] switch
                {
                    "GRR" => FrequencyOracles.RandomizedResponse, "OUE" => FrequencyOracles.OptimizedUnary, "SUE" => FrequencyOracles.SymmetricUnary,
                    "OLH" => FrequencyOracles.LocalHashing, "HR" => FrequencyOracles.Hadamard, _ => FrequencyOracles.Subset,
                };
                var oracle = FrequencyOracles.Create(name, row.Number("eps"), k);
                var stated = oracle.VariancePerReport(0.1);
                Near.Relative(row.Number("nvar_formula"), stated, 1e-4, row.ToString()); // printed with five digits
                Assert.InRange(row.Number("nvar_mc") / stated, 0.8, 1.25);
                using var random = new SimulationRandom(seed++);
                var (report, frequencies, estimates) = (new byte[oracle.ReportBytes], new double[k], new double[repetitions]);
                for (var r = 0; r < repetitions; r++)
                {
                    var state = new long[oracle.StateLength];
                    for (var i = 0; i < n; i++)
                    {
                        oracle.Randomize(i < n / 10 ? 0 : 1 + (i % (k - 1)), report, random);
                        oracle.Accumulate(report, state);
                    }

                    oracle.Estimate(state, n, frequencies);
                    estimates[r] = frequencies[0];
                }

                Statistics.AssertMean(estimates, 0.1, stated / n);
                Assert.InRange(n * Statistics.Variance(estimates, 0.1) / stated, 0.8, 1.25);
            }
        }

        [Fact]
        public void Of_ldp_poisoning_gain_csv_are_met()
        {
            Assert.Equal(7.37, PoisoningGain.Maximal("grr", 0.05, 5, 100, 0.5, 0.05), 0.01);
            Assert.Equal(1.27, PoisoningGain.Maximal("oue", 0.05, 5, 100, 0.5, 0.05), 0.01);
            foreach (var row in VectorFile.ReadIfThere("ldp_poisoning_gain"))
            {
                var oracle = row["oracle"] switch { "kRR" => "grr", "OUE" => "oue", _ => "olh" };
                var (share, targets, items, truth) = (row.Number("beta"), row.Integer("r"), row.Integer("d"), row.Number("fT"));
                var gain = row["attack"] switch
                {
                    "RPA" => PoisoningGain.RandomReport(oracle, share, targets, items, truth),
                    "RIA" => PoisoningGain.RandomItem(share, truth),
                    _ => PoisoningGain.Maximal(oracle, share, targets, items, row.Number("eps"), truth),
                };
                Assert.Equal(row.Number("gain_formula"), gain, 1e-6);
                Assert.Equal(row.Number("gain_sim"), gain, 3 * row.Number("se"));
            }
        }
    }

    public sealed class The_hash_of_local_hashing
    {
        [Fact]
        public void Is_SipHash_2_4()
        {
            // Appendix A of the paper: key 00..0f, message 00..07.
            Assert.Equal(0x93f5f5799a932462UL, SipHash.Hash(0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x0706050403020100));
        }

        [Fact]
        public void Collides_once_in_g()
        {
            var oracle = new LocalHashing(1, 10);
            using var random = new SimulationRandom(143);
            long collisions = 0;
            for (var i = 0; i < 40_000; i++)
            {
                var seed = random.NextUInt64();
                collisions += oracle.Bucket(seed, 3) == oracle.Bucket(seed, 7) ? 1 : 0;
            }

            Statistics.AssertProportion(collisions, 40_000, 1.0 / oracle.Buckets);
        }
    }

    public sealed class Unary_reports
    {
        [Fact]
        public void Weigh_within_the_honest_range()
        {
            var oracle = new UnaryEncoding(1, 100);
            var (least, most) = oracle.HonestWeight();
            using var random = new SimulationRandom(144);
            var report = new byte[oracle.ReportBytes];
            for (var i = 0; i < 2000; i++)
            {
                oracle.Randomize(i % 100, report, random);
                Assert.InRange(report.Sum(b => System.Numerics.BitOperations.PopCount(b)), least, most);
            }

            Assert.InRange(most, 28, 75);
        }
    }

    public sealed class NormSub
    {
        [Fact]
        public void Projects_onto_the_simplex()
        {
            double[] frequencies = [0.7, 0.5, -0.2, 0.1];
            FrequencyPostprocessing.NormSub(frequencies);
            Assert.Equal(1, frequencies.Sum(), 1e-12);
            Assert.Equal([0.6, 0.4, 0, 0], frequencies.Select(f => Math.Round(f, 12)));
            double[] proper = [0.25, 0.5, 0.25];
            FrequencyPostprocessing.NormSub(proper);
            Assert.Equal([0.25, 0.5, 0.25], proper);
        }
    }
}
