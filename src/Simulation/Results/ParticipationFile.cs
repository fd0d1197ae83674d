namespace Federated.Simulation.Results;

/// <summary><c>participation.csv</c>, in a run that trains: each client's intended and effective share in the model.</summary>
public static class ParticipationFile
{
    public const string Name = "participation.csv";

    public static void Write(ParticipationSummary participation, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(participation);
        using var csv = new CsvWriter(stream, "client", "updates", "intended_share", "effective_share");
        foreach (var client in participation.Clients)
        {
            csv.Write(client.Client);
            csv.Write(client.Updates);
            csv.Write(client.Intended);
            csv.Write(client.Effective);
            csv.EndRow();
        }
    }
}
