using System.Text.Json.Serialization;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// The privacy policy of a run: who is protected against whom, by which mechanism, at what budget; <c>kind</c> names it in configuration.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NoPrivacyOptions), PrivacyPolicies.None)]
[JsonDerivedType(typeof(CentralPrivacyOptions), PrivacyPolicies.Central)]
[JsonDerivedType(typeof(LocalPrivacyOptions), PrivacyPolicies.Local)]
[JsonDerivedType(typeof(ShufflePrivacyOptions), PrivacyPolicies.Shuffle)]
[JsonDerivedType(typeof(ExamplePrivacyOptions), PrivacyPolicies.Example)]
[JsonDerivedType(typeof(SecureSumOptions), PrivacyPolicies.SecureSum)]
[JsonDerivedType(typeof(DistributedPrivacyOptions), PrivacyPolicies.Distributed)]
public abstract record PrivacyOptions;

/// <summary>Updates are combined as they are, and nothing is guaranteed.</summary>
public sealed record NoPrivacyOptions : PrivacyOptions;
