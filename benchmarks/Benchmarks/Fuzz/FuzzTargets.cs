using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Federated.Aggregation;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Client;
using Federated.Coordinator;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Privacy;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Benchmarks.Fuzz;

/// <summary>The parsers that meet the network.</summary>
internal static partial class FuzzTargets
{
    private const int Dimension = 96;

    private static readonly ParameterLayout Layout = ParameterLayout.Of(("a.weight", [8, 8]), ("a.bias", [32]));
    private static readonly float[] Values = [.. Enumerable.Range(0, Dimension).Select(i => MathF.Sin(i) * 3)];

    public static IEnumerable<FuzzTarget> All()
    {
        yield return AccessToken();
        yield return JsonWebToken();
        yield return Key();
        yield return Envelope();
        yield return Safetensors();
        foreach (var codec in (CodecOptions[])[new Federated.Aggregation.Compression.IdentityOptions(), new Float16Options(), new BFloat16Options(), new TopKOptions(), new RandomKOptions(), new QsgdOptions(), new UniformOptions()])
        {
            yield return Codec(UpdateCodecs.Create<float>(codec));
        }

        yield return Json("check-in", WireJson.Default.CheckInRequest, new CheckInRequest(12.5, 60));
        yield return Json("enrolment", WireJson.Default.EnrolmentRequest, new EnrolmentRequest("fen_token", "MFkw", "ward 7"));
        yield return Json("declaration", WireJson.Default.UpdateDeclaration, Declaration(10));
        yield return Json("create-run", WireJson.Default.CreateRunRequest, new CreateRunRequest("name: x\n") { Run = "x", Set = ["a=b"] });
        yield return Json("evaluation", WireJson.Default.EvaluationReport, new EvaluationReport(10, 0.5, 1));
        yield return Names();
        foreach (var target in (FuzzTarget[])[.. Shuffling(), .. Sums(), .. Asking()])
        {
            yield return target;
        }
    }

    private static FuzzTarget AccessToken()
    {
        var tokens = new AccessTokens(new byte[32]);
        var good = Encoding.ASCII.GetBytes(tokens.Make("c-0123456789abcdef", 1e9));
        return new FuzzTarget("access token", 20, [good], input =>
        {
            var read = tokens.Read(Encoding.Latin1.GetString(input));
            return read is not null && (input.AsSpan().SequenceEqual(good) ? true : throw new InvalidOperationException("A changed token was taken."));
        });
    }

    private static FuzzTarget JsonWebToken()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var head = Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT","kid":"c-1"}"""u8);
        var claims = Base64Url.EncodeToString("""{"iss":"c-1","sub":"c-1","aud":"fed-1","iat":1,"exp":2,"jti":"AAAAAAAAAAAAAAAAAAAAAA"}"""u8);
        var good = $"{head}.{claims}.{Base64Url.EncodeToString(new byte[64])}";
        return new FuzzTarget("assertion", 15, [Encoding.ASCII.GetBytes(good)], input => Assertion.Parse(Encoding.Latin1.GetString(input), out _) is not null);
    }

    private static FuzzTarget Key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new FuzzTarget("public key", 1, [Encoding.ASCII.GetBytes(Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo()))], input =>
        {
            using var read = PublicKey.TryRead(Encoding.Latin1.GetString(input));
            return read is not null;
        });
    }

    private static FuzzTarget Envelope() =>
        new("update envelope", 15, [UpdateEnvelope.Encode(Declaration(0), []), UpdateEnvelope.Encode(Declaration(40), new byte[40])], input => UpdateEnvelope.Decode(input, out _, out _) is not null);

    private static FuzzTarget Safetensors()
    {
        using var file = new MemoryStream();
        new SafetensorsWriter().Add<float>(Layout, Values, ElementType.F32).WriteTo(file);
        var destination = new float[Dimension];
        return new FuzzTarget("safetensors", 10, [file.ToArray()], input => Refusable(() =>
        {
            using var stream = new MemoryStream(input, writable: false);
            SafetensorsReader.Open(stream).Read<float>(Layout, destination);
        }));
    }

    private static FuzzTarget Codec(IUpdateCodec<float> codec)
    {
        var message = new ArrayBufferWriter<byte>();
        codec.Encode(Values, SeededRandom.Derive(1, "corpus"), message);
        return new FuzzTarget($"codec {codec.Name}", 3, [message.WrittenSpan.ToArray()], input => Refusable(() =>
        {
            var sink = new Sum();
            codec.Decode(input, Dimension, ref sink);
        }));
    }

    private static FuzzTarget Json<T>(string name, JsonTypeInfo<T> form, T sample, int share = 4) => new(name.Contains(' ', StringComparison.Ordinal) ? name : $"JSON {name}", share, [.. WithHoles(JsonSerializer.SerializeToUtf8Bytes(sample, form))], input =>
    {
        try
        {
            return JsonSerializer.Deserialize(input, form) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    });

    /// <summary>A sample, and it again with null in the place of each of its values.</summary>
    private static IEnumerable<byte[]> WithHoles(byte[] json)
    {
        yield return json;
        for (var at = 0; ; at++)
        {
            var (root, left) = (JsonNode.Parse(json), at);
            if (!Hollow(root, ref left))
            {
                yield break;
            }

            yield return Encoding.UTF8.GetBytes(root!.ToJsonString());
        }
    }

    private static bool Hollow(JsonNode? node, ref int left)
    {
        foreach (var child in node switch { JsonObject o => [.. o.Select(p => p.Value)], JsonArray a => a.ToList(), _ => new List<JsonNode?>() })
        {
            if (child is not null && left-- == 0)
            {
                child.ReplaceWith<object?>(null);
                return true;
            }

            if (Hollow(child, ref left))
            {
                return true;
            }
        }

        return false;
    }

    private static FuzzTarget Names() => new("names", 4, ["run-7"u8.ToArray(), "c-0123456789abcdef"u8.ToArray()], input =>
    {
        var text = Encoding.UTF8.GetString(input);
        if (Identifier.IsValid(text) && (text.Contains('/', StringComparison.Ordinal) || text.Contains('.', StringComparison.Ordinal) || Path.GetFileName(text) != text))
        {
            throw new InvalidOperationException("A name could be a path.");
        }

        return Identifier.IsValid(text) | Digests.IsDigest(text);
    });

    private static UpdateDeclaration Declaration(long length) => new()
    {
        Delta = new BlobReference(new string('a', 64), length), Extras = new Dictionary<string, BlobReference> { ["control"] = new(new string('b', 64), 0) }, Examples = 3, LocalSteps = 5, TrainingLoss = 0.5,
    };

    private static bool Refusable(Action parse)
    {
        try
        {
            parse();
            return true;
        }
        catch (Exception e) when (e is AggregationException or CoordinatorException or PrivacyException or ClientException or JsonException)
        {
            return false;
        }
    }

    private struct Sum : IUpdateSink<float>
    {
        private double total;

        public void AddBlock(int offset, scoped ReadOnlySpan<float> values)
        {
            if (offset < 0 || offset + values.Length > Dimension)
            {
                throw new InvalidOperationException("A block lies outside of the update.");
            }

            total += values.Length > 0 ? values[0] : 0;
        }

        public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<float> values)
        {
            foreach (var index in indices)
            {
                if ((uint)index >= Dimension)
                {
                    throw new InvalidOperationException("An index lies outside of the update.");
                }
            }
        }
    }
}
