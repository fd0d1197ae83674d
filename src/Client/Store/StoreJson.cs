using System.Text.Json.Serialization;
using Federated.Client.Privacy;

namespace Federated.Client.Store;

/// <summary>JSON of the state folder; generated at build time so that it survives trimming.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ClientIdentity))]
[JsonSerializable(typeof(PendingUpdate))]
[JsonSerializable(typeof(ClientLedger))]
internal sealed partial class StoreJson : JsonSerializerContext;
