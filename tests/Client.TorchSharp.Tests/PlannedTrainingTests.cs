using Federated.Client.Training;
using Federated.Protocol;
using Federated.Simulation.Serving;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Tests;

/// <summary><c>fed client --trainer torch</c>: the run's plan, carried out by torch.</summary>
public sealed class PlannedTrainingTests
{
    [Fact]
    public void ClientsOfOneRunMayChooseEitherTrainer()
    {
        var data = TestData.Images(40);
        var plan = new ClientPlan { Model = TestData.Convolutional, ExampleShape = [1, 8, 8], Classes = TestData.Classes }.ToJson();
        var model = TestData.Managed(TestData.Convolutional, data).Model;
        var start = TestData.Initial(model);
        var results = new List<(TrainingResult Result, float[] Delta)>();
        foreach (var trainers in (ManagedTrainers[])[new(), new(new TorchTrainerFactory(), new Federated.Training.LocalTraining.TorchTrainerOptions())])
        {
            var task = new TrainingTask(model.Layout, start) { Work = LocalWork.OfEpochs(2), Seed = 11, Plan = plan };
            results.Add((new ManagedTrainer(trainers, new Own(data)).Train(task, CancellationToken.None), task.Delta.ToArray()));
        }

        Assert.Equal((8, 40.0), (results[1].Result.Steps, results[1].Result.Examples));
        Assert.Equal(results[0].Result.MeanLoss, results[1].Result.MeanLoss, 1e-5);
        TestData.Near(results[0].Delta, results[1].Delta, 2e-5);
    }

    [Fact]
    public void APlanOfATorchOnlyModelIsTrainedByTorch()
    {
        var data = TestData.Textures(40);
        var options = new ResidualNetworkOptions { Channels = [8], Groups = 4 };
        using var own = TestData.Torch(options, data);
        var plan = new ClientPlan { Model = options, ExampleShape = [1, 8, 8], Classes = TestData.Classes }.ToJson();
        var task = new TrainingTask(own.Model.Layout, TestData.Initial(own.Model)) { Work = LocalWork.OfSteps(2), Plan = plan };
        var trainer = new ManagedTrainer(new ManagedTrainers(new TorchTrainerFactory(), new Federated.Training.LocalTraining.TorchTrainerOptions()), new Own(data));
        Assert.Equal(2, trainer.Train(task, CancellationToken.None).Steps);
        Assert.Contains(task.Delta.ToArray(), d => d != 0);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("models/../../secret.safetensors")]
    public void APlanMayNotNameFilesOutsideTheClientsFolder(string path)
    {
        var plan = new ClientPlan { Model = new CharacterTransformerOptions { AdapterRank = 2, Base = path }, ExampleShape = [5], Classes = 7 }.ToJson();
        Assert.Contains("below the client's working folder", Assert.Throws<Simulation.SimulationException>(() => ClientPlan.Parse(plan)).Message, StringComparison.Ordinal);
    }

    private sealed class Own(Federated.Training.Data.DataSet data) : IClientData
    {
        public int? Examples => data.Count;

        public ClientExamples Load(ClientPlan plan) => new(data, TestData.All(data), data, []);
    }
}
