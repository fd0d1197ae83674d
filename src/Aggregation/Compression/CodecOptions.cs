using System.Text.Json.Serialization;

namespace Federated.Aggregation.Compression;

/// <summary>Which codec updates travel in, and its settings; <c>kind</c> names it in configuration (see <see cref="UpdateCodecs"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(IdentityOptions), UpdateCodecs.Identity)]
[JsonDerivedType(typeof(Float16Options), UpdateCodecs.Float16)]
[JsonDerivedType(typeof(BFloat16Options), UpdateCodecs.BFloat16)]
[JsonDerivedType(typeof(TopKOptions), UpdateCodecs.TopK)]
[JsonDerivedType(typeof(RandomKOptions), UpdateCodecs.RandomK)]
[JsonDerivedType(typeof(QsgdOptions), UpdateCodecs.Qsgd)]
[JsonDerivedType(typeof(UniformOptions), UpdateCodecs.Uniform)]
public abstract record CodecOptions;

/// <summary>Updates travel as they are; there is nothing to set.</summary>
public sealed record IdentityOptions : CodecOptions;

/// <summary>Updates travel as binary16; there is nothing to set.</summary>
public sealed record Float16Options : CodecOptions;

/// <summary>Updates travel as bfloat16; there is nothing to set.</summary>
public sealed record BFloat16Options : CodecOptions;
