using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>Something wrong in a configuration.</summary>
/// <param name="Path">The key, as in <c>data.partition.clients</c>; empty for the whole file.</param>
/// <param name="Message">What was needed, what was there, what to change.</param>
public sealed record ConfigError(SourceLocation Location, string Path, string Message)
{
    public override string ToString() => Path.Length == 0 ? $"{Location}: {Message}" : $"{Location}: {Path}: {Message}";
}

/// <summary>A value, or everything that stands in its way.</summary>
public readonly struct ConfigResult<T>
    where T : class
{
    private ConfigResult(T? value, ImmutableArray<ConfigError> errors) => (Value, Errors) = (value, errors);

    public T? Value { get; }

    /// <summary>In the order of the file; empty exactly when there is a value.</summary>
    public ImmutableArray<ConfigError> Errors { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsValid => Value is not null;

    public static ConfigResult<T> Of(T value) => new(value, []);

    public static ConfigResult<T> Failed(params IEnumerable<ConfigError> errors) =>
        new(null, [.. errors.OrderBy(error => error.Location.Line).ThenBy(error => error.Location.Column)]);
}
