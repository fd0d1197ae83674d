namespace Federated.Training.LocalObjectives;

/// <summary>
/// The named vectors that an objective exchanges: received from the server, remembered by the client, sent up, and the client's next
/// state. Names are those that the objective lists; the host carries them without knowing what they mean.
/// </summary>
/// <remarks>The next state is pending: it becomes the state when the server has accepted the update, and is dropped otherwise, else sums over clients drift apart from the server's.</remarks>
public sealed class LocalExchange<T>
    where T : unmanaged
{
    public static LocalExchange<T> Empty { get; } = new();

    /// <summary>Vectors from the server.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<T>> FromServer { get; init; } = EmptyRead;

    /// <summary>The client's state; a name that is absent means zeros.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<T>> State { get; init; } = EmptyRead;

    /// <summary>Buffers for what goes up; filled by the objective.</summary>
    public IReadOnlyDictionary<string, Memory<T>> ToServer { get; init; } = EmptyWrite;

    /// <summary>Buffers for the next state; filled by the objective.</summary>
    public IReadOnlyDictionary<string, Memory<T>> PendingState { get; init; } = EmptyWrite;

    private static Dictionary<string, ReadOnlyMemory<T>> EmptyRead { get; } = [];

    private static Dictionary<string, Memory<T>> EmptyWrite { get; } = [];

    /// <summary>Fresh buffers of <paramref name="length"/> values for each name that goes up or is remembered.</summary>
    public static LocalExchange<T> For(
        IReadOnlyList<string> clientTensors,
        IReadOnlyList<string> clientState,
        int length,
        IReadOnlyDictionary<string, ReadOnlyMemory<T>>? fromServer = null,
        IReadOnlyDictionary<string, ReadOnlyMemory<T>>? state = null) => new()
        {
            FromServer = fromServer ?? EmptyRead,
            State = state ?? EmptyRead,
            ToServer = clientTensors.ToDictionary(name => name, _ => new T[length].AsMemory()),
            PendingState = clientState.ToDictionary(name => name, _ => new T[length].AsMemory()),
        };

    internal ReadOnlySpan<T> Received(string name, int length) => FromServer.TryGetValue(name, out var vector)
        ? Checked(vector.Span, name, length, "from the server")
        : throw new TrainingException($"The objective needs '{name}' from the server; it sent {Names(FromServer.Keys)}.");

    /// <summary>The remembered vector, or an empty span for zeros.</summary>
    internal ReadOnlySpan<T> Remembered(string name, int length) =>
        State.TryGetValue(name, out var vector) ? Checked(vector.Span, name, length, "of the client's state") : default;

    internal Span<T> Up(string name, int length) => ToServer.TryGetValue(name, out var vector) && vector.Length == length
        ? vector.Span
        : throw new TrainingException($"The objective sends '{name}' ({length} values) up; the exchange has no such buffer, only {Names(ToServer.Keys)}.");

    internal Span<T> Pending(string name, int length) => PendingState.TryGetValue(name, out var vector) && vector.Length == length
        ? vector.Span
        : throw new TrainingException($"The objective remembers '{name}' ({length} values); the exchange has no such buffer, only {Names(PendingState.Keys)}.");

    private static ReadOnlySpan<T> Checked(ReadOnlySpan<T> vector, string name, int length, string source) => vector.Length == length
        ? vector
        : throw new TrainingException($"'{name}' {source} has {vector.Length} values; the model has {length}.");

    private static string Names(IEnumerable<string> names) => names.Any() ? string.Join(", ", names) : "nothing";
}
