using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Training.Tests.LocalTraining;

public sealed class EvaluatorTests
{
    private static readonly DataSet Data = Make();
    private static readonly float[] Parameters = Initial();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Gives_the_same_bits_on_any_number_of_threads(int threads)
    {
        var evaluator = new Evaluator<float>(Create);
        var expected = evaluator.Evaluate(Parameters, Data);
        Assert.Equal(1603, expected.Count);
        for (var repeat = 0; repeat < 3; repeat++)
        {
            Assert.Equal(expected, evaluator.Evaluate(Parameters, Data, threads));
        }
    }

    [Fact]
    public void Agrees_with_one_big_batch()
    {
        var batch = new Batch<float>(Data.Features, Data.Labels, Data.Count);
        var expected = Create().Evaluate(Parameters, batch);
        var actual = new Evaluator<float>(Create).Evaluate(Parameters, Data);
        Assert.Equal(expected.Correct, actual.Correct);
        Assert.Equal(expected.LossSum, actual.LossSum, 1e-3);
    }

    [Fact]
    public void Subsets_add_up_to_the_whole()
    {
        var evaluator = new Evaluator<float>(Create);
        var whole = evaluator.Evaluate(Parameters, Data);
        var sum = default(Evaluation);
        for (var client = 0; client < 5; client++)
        {
            sum += evaluator.Evaluate(Parameters, Data, Enumerable.Range(0, Data.Count).Where(i => i % 5 == client).ToArray());
        }

        Assert.Equal(whole.Count, sum.Count);
        Assert.Equal(whole.Correct, sum.Correct);
        Assert.Equal(whole.LossSum, sum.LossSum, 1e-3);
        Assert.Equal(default, evaluator.Evaluate(Parameters, Data, ReadOnlyMemory<int>.Empty));
    }

    private static MultilayerPerceptron<float> Create() => new(8, [16], 4);

    private static float[] Initial()
    {
        var model = Create();
        var w = new float[model.Layout.Count];
        model.Initialize(w, new SeededRandom(1));
        return w;
    }

    private static DataSet Make()
    {
        var random = new SeededRandom(2);
        return new DataSet(
            "random",
            [.. Enumerable.Range(0, 1603 * 8).Select(_ => (float)random.NextNormal())],
            [.. Enumerable.Range(0, 1603).Select(_ => random.NextInt(4))],
            [8],
            4);
    }
}
