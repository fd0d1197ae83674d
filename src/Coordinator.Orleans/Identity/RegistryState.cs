using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Identity;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>What the records of one share add up to: a book of identities, assertions taken lately, notes of client grains, the secret.</summary>
/// <remarks>A record is a kind byte and its content; kinds are never renumbered. A snapshot is the fewest records that add up to the same, each after its length.</remarks>
internal sealed class RegistryState
{
    private const byte Identity = 1, Taken = 2, Noted = 3, SecretKind = 4;

    private readonly Dictionary<string, ClientNote> notes = new(StringComparer.Ordinal);
    private readonly double assertionLifetime;
    private HashSet<string> taken = new(StringComparer.Ordinal), takenBefore = new(StringComparer.Ordinal);
    private double takenSince;

    /// <param name="assertionLifetime">Seconds after which no assertion is good any more.</param>
    public RegistryState(double assertionLifetime) => this.assertionLifetime = assertionLifetime;

    public IdentityBook Book { get; } = new();

    public byte[]? Secret { get; private set; }

    public ClientNote? NoteOf(string client) => notes.GetValueOrDefault(client);

    public bool WasTaken(string client, string assertion) => taken.Contains($"{client} {assertion}") || takenBefore.Contains($"{client} {assertion}");

    public static byte[] Form(IdentityRecord record) => [Identity, .. JsonSerializer.SerializeToUtf8Bytes(record, IdentityJson.Default.IdentityRecord)];

    public static byte[] Form(TakenAssertion assertion) => [Taken, .. JsonSerializer.SerializeToUtf8Bytes(assertion, IdentityJson.Default.TakenAssertion)];

    public static byte[] Form(ClientNote note) => [Noted, .. JsonSerializer.SerializeToUtf8Bytes(note, RegistryJson.Default.ClientNote)];

    public static byte[] FormOfSecret(byte[] secret) => [SecretKind, .. secret];

    public void Apply(ReadOnlySpan<byte> record)
    {
        var content = record[1..];
        switch (record[0])
        {
            case Identity:
                Book.Apply(JsonSerializer.Deserialize(content, IdentityJson.Default.IdentityRecord)!);
                break;
            case Taken:
                Take(JsonSerializer.Deserialize(content, IdentityJson.Default.TakenAssertion)!);
                break;
            case Noted:
                var note = JsonSerializer.Deserialize(content, RegistryJson.Default.ClientNote)!;
                notes[note.Client] = note;
                break;
            case SecretKind:
                Secret ??= content.ToArray();
                break;
            default:
                throw new IdentityException($"The registry has a record of kind {record[0]}, which this build does not know; use the build that wrote it.");
        }
    }

    public byte[] Save()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        foreach (var record in Records())
        {
            writer.Write(record.Length);
            writer.Write(record);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    public void Load(ReadOnlySpan<byte> snapshot)
    {
        while (snapshot.Length > 0)
        {
            var length = BitConverter.ToInt32(snapshot);
            Apply(snapshot.Slice(sizeof(int), length));
            snapshot = snapshot[(sizeof(int) + length)..];
        }
    }

    /// <summary>Two sets that take turns: when the newer has been filled for longer than an assertion can live, all in the older has expired.</summary>
    private void Take(TakenAssertion assertion)
    {
        if (assertion.At - takenSince > assertionLifetime)
        {
            (taken, takenBefore) = (takenBefore, taken);
            taken.Clear();
            takenSince = assertion.At;
        }

        taken.Add(assertion.Id);
    }

    private IEnumerable<byte[]> Records()
    {
        if (Secret is not null)
        {
            yield return FormOfSecret(Secret);
        }

        foreach (var record in Book.Records())
        {
            yield return Form(record);
        }

        foreach (var note in notes.Values.OrderBy(n => n.Client, StringComparer.Ordinal))
        {
            yield return Form(note);
        }

        // All of them as taken when the newer set was begun: kept too long by at most one lifetime.
        foreach (var id in takenBefore.Concat(taken).Order(StringComparer.Ordinal))
        {
            yield return Form(new TakenAssertion(id, takenSince));
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientNote))]
internal sealed partial class RegistryJson : JsonSerializerContext;
