using Federated.Coordinator.Privacy;

namespace Federated.Coordinator.Orleans.Serialization;

[GenerateSerializer, Immutable, Alias("fed.run-spending")]
internal struct RunSpendingSurrogate
{
    [Id(0)] public int[] Versions;
    [Id(1)] public double[] Course;
    [Id(2)] public int Charged;
    [Id(3)] public int[] Clients;
    [Id(4)] public int[] Participations;
    [Id(5)] public double[] Epsilons;
}

[RegisterConverter]
internal sealed class RunSpendingConverter : IConverter<RunSpending, RunSpendingSurrogate>
{
    public RunSpending ConvertFromSurrogate(in RunSpendingSurrogate s)
    {
        var (versions, course, clients, participations, epsilons) = (s.Versions, s.Course, s.Clients, s.Participations, s.Epsilons);
        return new RunSpending(
            [.. versions.Select((version, i) => new SpentAt(version, course[i]))],
            s.Charged,
            [.. clients.Select((client, i) => new ClientSpending(client, participations[i], epsilons[i]))]);
    }

    public RunSpendingSurrogate ConvertToSurrogate(in RunSpending v) => new()
    {
        Versions = [.. v.Course.Select(p => p.Version)],
        Course = [.. v.Course.Select(p => p.Epsilon)],
        Charged = v.Charged,
        Clients = [.. v.Nearest.Select(c => c.Client)],
        Participations = [.. v.Nearest.Select(c => c.Participations)],
        Epsilons = [.. v.Nearest.Select(c => c.Epsilon)],
    };
}
