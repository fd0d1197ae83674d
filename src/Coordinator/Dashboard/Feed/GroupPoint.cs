namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>
/// Clients that the scheduler expects together: a FedCompass group, or the cohort of a round. Told again whenever it changes; the point with
/// the highest sequence number holds.
/// </summary>
/// <param name="Number">Of this group in its run, in the order of opening.</param>
/// <param name="Opened">Seconds on the run's clock.</param>
/// <param name="Expected">When all members should have arrived; NaN where nothing is expected.</param>
/// <param name="Latest">Until when it waits for them; NaN for no limit.</param>
/// <param name="Closed">When it was merged; NaN while it is open.</param>
/// <param name="Members">Who belongs to it, those who left it late included.</param>
/// <param name="Arrived">How many of them are in.</param>
/// <param name="Version">The version that it became; 0 while it is open, or when nobody came.</param>
public readonly record struct GroupPoint(
    long Number, double Opened, double Expected, double Latest, double Closed, IReadOnlyList<int> Members, int Arrived, int Version)
{
    internal static IReadOnlyList<Column<GroupPoint>> Columns { get; } =
    [
        new("number", (json, p) => json.WriteNumberValue(p.Number)),
        new("opened", (json, p) => json.WriteMeasure(p.Opened)),
        new("expected", (json, p) => json.WriteMeasure(p.Expected)),
        new("latest", (json, p) => json.WriteMeasure(p.Latest)),
        new("closed", (json, p) => json.WriteMeasure(p.Closed)),
        new("members", (json, p) =>
        {
            json.WriteStartArray();
            foreach (var member in p.Members)
            {
                json.WriteNumberValue(member);
            }

            json.WriteEndArray();
        }),
        new("arrived", (json, p) => json.WriteNumberValue(p.Arrived)),
        new("version", (json, p) => json.WriteNumberValue(p.Version)),
    ];
}
