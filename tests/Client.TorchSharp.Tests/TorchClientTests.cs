using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Client.Training;
using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Modules;
using Federated.Client.TorchSharp.Privacy;
using Federated.Protocol;
using Federated.Training;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;

namespace Federated.Client.TorchSharp.Tests;

public sealed class TorchClientTests
{
    [Fact]
    public void AnAssignmentIsTrainedAsTheLocalTrainerTrainsIt()
    {
        var data = TestData.Images(40);
        using var client = Client(data, new TorchTrainingOptions());
        using var trainer = TestData.Torch(TestData.Perceptron, data);
        var start = TestData.Initial(trainer.Model);
        var task = new TrainingTask(trainer.Model.Layout, start) { Work = LocalWork.OfEpochs(2), Seed = 7 };
        var result = client.Train(task, CancellationToken.None);
        var (expected, local) = TestData.Train(trainer, data, start, 8);
        Assert.Equal(expected, task.Delta.ToArray());
        Assert.Equal(new TrainingResult(40, 8, local.MeanLoss, local.StepWeight), result);
        Assert.Equal(40, client.Examples);
    }

    [Fact]
    public void WhatAnObjectiveExchangesGoesThroughTheTask()
    {
        var data = TestData.Images(20);
        using var client = Client(data, new TorchTrainingOptions { Local = new LocalTrainingOptions { Objective = new ScaffoldOptions() } });
        var layout = Layout(data);
        var control = new float[layout.Count];
        var task = new TrainingTask(layout, new float[layout.Count])
        {
            Work = LocalWork.OfSteps(3),
            FromServer = new Dictionary<string, ReadOnlyMemory<float>> { [Scaffold<float>.ServerControl] = control },
        };
        client.Train(task, CancellationToken.None);
        Assert.Equal([Scaffold<float>.ControlDelta], task.ToServer.Keys);
        Assert.Equal([Scaffold<float>.ClientControl], task.NextState.Keys);
        Assert.Equal(task.NextState[Scaffold<float>.ClientControl].ToArray(), task.ToServer[Scaffold<float>.ControlDelta].ToArray());
    }

    [Fact]
    public void AModelIsScoredOnTheClientsOwnTestExamples()
    {
        var (data, test) = (TestData.Images(20), TestData.Images(300, seed: 9));
        using var client = new TorchClient(Model(data), new TorchTrainingOptions(), data, test: test);
        var managed = TestData.Managed(TestData.Perceptron, data).Model;
        var parameters = TestData.Initial(managed);
        var expected = new Evaluator<float>(() => managed).Evaluate(parameters, test);
        var actual = client.Evaluate(new EvaluationTask(managed.Layout, parameters), CancellationToken.None)!.Value;
        Assert.Equal((300, expected.Accuracy), (actual.Examples, actual.Accuracy));
        Assert.Equal(expected.Loss, actual.Loss, 1e-5);
    }

    [Fact]
    public void AnotherModelIsRefused()
    {
        var data = TestData.Images(4);
        using var client = Client(data, new TorchTrainingOptions());
        var refusal = Assert.Throws<TrainingException>(() => client.Train(new TrainingTask(ParameterLayout.Of(("w", [3])), new float[3]), CancellationToken.None));
        Assert.Contains("not this client's module", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherObjectiveThanTheRunsIsRefused()
    {
        var data = TestData.Images(4);
        using var client = Client(data, new TorchTrainingOptions());
        using var plan = JsonDocument.Parse("""{"objective": {"kind": "feddyn", "alpha": 0.1}}""");
        var layout = Layout(data);
        var refusal = Assert.Throws<TrainingException>(() => client.Train(new TrainingTask(layout, new float[layout.Count]) { Plan = plan.RootElement }, CancellationToken.None));
        Assert.Contains("'feddyn'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnderDifferentialPrivacyNeitherLossNorNumberOfExamplesIsTold()
    {
        var data = TestData.Images(30);
        using var client = Client(data, new TorchTrainingOptions { Privacy = new DpSgdOptions { SamplingRate = 0.3 } });
        var layout = Layout(data);
        var result = client.Train(new TrainingTask(layout, new float[layout.Count]) { Work = LocalWork.OfSteps(2) }, CancellationToken.None);
        Assert.Equal((0, 1, true), (client.Examples, result.Examples, double.IsNaN(result.MeanLoss)));

        // So would the steps of a pass: 1/q of them, however many examples there are.
        Assert.Equal(7, client.Train(new TrainingTask(layout, new float[layout.Count]) { Work = LocalWork.OfEpochs(2) }, CancellationToken.None).Steps);
    }

    [Fact]
    public void ACancelledTaskOrEvaluationEndsWithNothingForTheSession()
    {
        var data = TestData.Images(40);
        using var client = new TorchClient(Model(data), new TorchTrainingOptions { Local = new LocalTrainingOptions { Objective = new FedDynOptions() } }, data, test: data);
        var layout = Layout(data);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var task = new TrainingTask(layout, new float[layout.Count]) { Work = LocalWork.OfSteps(1) };
        Assert.Throws<OperationCanceledException>(() => client.Train(task, stop.Token));
        Assert.Empty(task.ToServer);
        Assert.Empty(task.NextState);
        Assert.Throws<OperationCanceledException>(() => client.Evaluate(new EvaluationTask(layout, new float[layout.Count]), stop.Token));
        Assert.Equal(1, client.Train(task, CancellationToken.None).Steps);
    }

    private static TorchClient Client(Federated.Training.Data.DataSet data, TorchTrainingOptions options) => new(Model(data), options, data);

    private static TorchModel Model(Federated.Training.Data.DataSet data)
    {
        var module = TorchModules.Create(TestData.Perceptron, data.ExampleShape, data.Classes);
        return new TorchModel(module.Create, new CrossEntropyLoss(), module.Reader);
    }

    private static ParameterLayout Layout(Federated.Training.Data.DataSet data) => TestData.Managed(TestData.Perceptron, data).Model.Layout;
}
