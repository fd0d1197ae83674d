using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Compression.Feedback;

namespace Federated.Aggregation.Compression;

/// <summary>Names of the codecs and of the kinds of feedback, as config gives them, and the way from options to an object.</summary>
public static class UpdateCodecs
{
    /// <summary>Most coordinates that a sink receives at once: a decoded block stays in the first cache level.</summary>
    public const int BlockLength = 4096;

    /// <summary>Everything as it is: when bandwidth is no concern.</summary>
    public const string Identity = "identity";

    /// <summary>Half the bytes, nothing to tune; updates are usually well inside its range.</summary>
    public const string Float16 = "f16";

    /// <summary>Half the bytes at any magnitude, with 8 significant bits.</summary>
    public const string BFloat16 = "bf16";

    /// <summary>The fewest bytes for a given accuracy, under error feedback.</summary>
    public const string TopK = "top-k";

    /// <summary>Like top-k with hardly a byte for indices; unbiased without feedback.</summary>
    public const string RandomK = "random-k";

    /// <summary>A few bits per coordinate, unbiased: no state on the client, so the choice when clients take part rarely.</summary>
    public const string Qsgd = "qsgd";

    /// <summary>8, 4, 2 or 1 bit per coordinate, unbiased; at 8 bits the noise is hardly measurable.</summary>
    public const string Uniform = "uniform";

    /// <summary>No memory: each update stands for itself.</summary>
    public const string NoFeedback = "none";

    /// <summary>What was not sent is added to the next update: for clients that take part often.</summary>
    public const string ErrorFeedback = "ef14";

    /// <summary>Differences to a shift that client and server share are sent: full participation, heterogeneous clients.</summary>
    public const string Ef21 = "ef21";

    /// <summary>EF21 with a controlled share of the error fed back: where EF21 alone is slow.</summary>
    public const string EControl = "econtrol";

    /// <summary>The aggregator that EF21 and EControl need: their messages are changes of shifts, not updates.</summary>
    public const string ShiftedMean = "shifted-mean";

    /// <summary>All names of codecs.</summary>
    public static ImmutableArray<string> All { get; } = [Identity, Float16, BFloat16, TopK, RandomK, Qsgd, Uniform];

    /// <summary>All names of feedback.</summary>
    public static ImmutableArray<string> AllFeedback { get; } = [NoFeedback, ErrorFeedback, Ef21, EControl];

    /// <summary>Makes the codec that the options describe.</summary>
    /// <param name="options">The codec's options; their type names the codec.</param>
    /// <exception cref="AggregationException">Options out of range.</exception>
    public static IUpdateCodec<T> Create<T>(CodecOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            IdentityOptions => FloatingPointCodec<T>.Identity(),
            Float16Options => FloatingPointCodec<T>.Float16(),
            BFloat16Options => FloatingPointCodec<T>.BFloat16(),
            TopKOptions o => new TopKCodec<T>(o),
            RandomKOptions o => new RandomKCodec<T>(o),
            QsgdOptions o => new QsgdCodec<T>(o),
            UniformOptions o => new UniformCodec<T>(o),
            _ => throw new AggregationException($"No codec for {options?.GetType().Name ?? "null"}; choose one of {string.Join(", ", All)}."),
        };

    /// <summary>Makes one client's encoder: the codec under the feedback that the options describe.</summary>
    /// <param name="options">Codec and feedback.</param>
    /// <param name="dimension">d, the length of the updates to come.</param>
    /// <exception cref="AggregationException">Options out of range, or feedback on a codec that is not contractive.</exception>
    public static IUpdateEncoder<T> CreateEncoder<T>(CompressionOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        var codec = Create<T>(options.Codec);
        return options.Feedback switch
        {
            NoFeedbackOptions => new PlainEncoder<T>(codec, dimension),
            ErrorFeedbackOptions => new ErrorFeedback<T>(codec, dimension),
            Ef21Options => new Ef21<T>(codec, dimension),
            EControlOptions o => new EControl<T>(o, codec, dimension),
            _ => throw new AggregationException($"No feedback for {options.Feedback?.GetType().Name ?? "null"}; choose one of {string.Join(", ", AllFeedback)}."),
        };
    }
}
