using System.Text.Json.Serialization.Metadata;

namespace Federated.Coordinator.Http;

/// <summary>What the OpenAPI document says of an endpoint.</summary>
/// <param name="Request">The body that it takes; null for none, or one that is not JSON.</param>
/// <param name="Reply">The body that it answers; null for none, or one that is not JSON.</param>
/// <param name="Status">Of success.</param>
internal sealed record Says(string Summary, JsonTypeInfo? Request = null, JsonTypeInfo? Reply = null, int Status = 200);
