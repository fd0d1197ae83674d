using System.Numerics;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Averaging;

/// <content>Sparse vectors, parts, kept sums: the same bits as one vector after another.</content>
public partial class ReproducibleSumTests
{
    public class Other_ways_in
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(4)]
        public void Many_at_once_on_any_number_of_threads_give_the_bits_of_one_by_one(int threads)
        {
            Check<float>(threads);
            Check<double>(threads);
        }

        [Fact]
        public void Pieces_and_sparse_pieces_give_the_bits_of_the_whole()
        {
            const int dimension = 3000;
            var vectors = Wild<float>(6, dimension, 5, 30);
            var weights = Weights(6, 5);
            var expected = OneByOne(vectors, weights, Enumerable.Range(0, 6));
            var random = SeededRandom.Derive(5, "pieces");
            var sum = new ReproducibleSum<float>(dimension);
            for (var i = 0; i < vectors.Length; i++)
            {
                var term = sum.BeginTerm(weights[i]);
                for (var start = 0; start < dimension;)
                {
                    var length = Math.Min(1 + random.NextInt(900), dimension - start);
                    var piece = vectors[i].AsSpan(start, length);
                    if (random.NextInt(2) == 0)
                    {
                        term.AddBlock(start, piece);
                    }
                    else
                    {
                        var indices = Enumerable.Range(start, length).Where(j => vectors[i][j] != 0).ToArray();
                        term.AddSparse(indices, indices.Select(j => vectors[i][j]).ToArray());
                    }

                    start += length;
                }

                term.Complete();
            }

            var total = new float[dimension];
            sum.Read(total, 3.7);
            SameBits(expected, total);
            Assert.Equal(6, sum.Count);
        }

        [Fact]
        public void Pieces_out_of_order_or_out_of_range_are_refused()
        {
            static void Try(Action<SumTermBox> use) => Assert.Throws<ArgumentOutOfRangeException>(() => use(new SumTermBox()));
            Try(box => box.Run((0, 4), (3, 1)));
            Try(box => box.Run((8, 3)));
            Try(box => box.Run((-1, 1)));
        }

        [Fact]
        public void A_term_abandoned_before_its_first_piece_never_was()
        {
            var sum = new ReproducibleSum<float>(600);
            sum.BeginTerm().Abandon();
            Assert.Equal(0, sum.Count);
            sum.Add(new float[600]);
            var term = sum.BeginTerm();
            Assert.Throws<AggregationException>(() => sum.Add(new float[600]));
            term.AddBlock(0, new float[600]);
            term.Abandon();
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Read(new float[600])).Message);
        }

        private sealed class SumTermBox
        {
            public void Run(params (int Offset, int Length)[] pieces)
            {
                var term = new ReproducibleSum<float>(10).BeginTerm();
                foreach (var (offset, length) in pieces)
                {
                    term.AddBlock(offset, new float[length]);
                }
            }
        }

        private static void Check<T>(int threads)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            const int dimension = 70_001;
            var vectors = Wild<T>(7, dimension, 2, 30);
            var weights = Weights(7, 2);
            var expected = OneByOne(vectors, weights, Enumerable.Range(0, 7));
            var memories = vectors.Select(v => (ReadOnlyMemory<T>)v).ToArray();
            var total = new T[dimension];
            ReproducibleSum<T>.Combine(memories, weights, 3.7, total, threads);
            SameBits(expected, total);

            var sum = new ReproducibleSum<T>(dimension);
            sum.AddMany(memories.AsSpan(0, 4), weights.AsSpan(0, 4), threads);
            sum.Add(vectors[6], weights[6]);
            sum.AddMany(memories.AsSpan(4, 2), weights.AsSpan(4, 2), threads);
            sum.Read(total, 3.7);
            SameBits(expected, total);
            Assert.Equal(7, sum.Count);
        }
    }
}
