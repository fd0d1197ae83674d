using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Cli.Output;

namespace Federated.Cli.Serving;

/// <summary>A message of the wire as the one JSON document of a verb.</summary>
internal static class Json
{
    public static void Write<T>(Terminal terminal, T value, JsonTypeInfo<T> form) =>
        Reporter.WriteJson(terminal, writer => JsonSerializer.Serialize(writer, value, form));
}
