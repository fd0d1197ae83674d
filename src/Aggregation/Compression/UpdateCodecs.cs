using System.Collections.Immutable;
using System.Numerics;
using Federated.Aggregation.Compression.Feedback;

namespace Federated.Aggregation.Compression;

/// <summary>Names of the codecs and of the kinds of feedback, as config gives them, and the way from a name to an object.</summary>
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

    /// <summary>All names of codecs.</summary>
    public static ImmutableArray<string> All { get; } = [Identity, Float16, BFloat16, TopK, RandomK, Qsgd, Uniform];

    /// <summary>All names of feedback.</summary>
    public static ImmutableArray<string> AllFeedback { get; } = [NoFeedback, ErrorFeedback, Ef21, EControl];

    /// <summary>Makes the codec that the options name.</summary>
    /// <exception cref="AggregationException">An unknown name, or options out of range.</exception>
    public static IUpdateCodec<T> Create<T>(CompressionOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Codec switch
        {
            Identity => FloatingPointCodec<T>.Identity(),
            Float16 => FloatingPointCodec<T>.Float16(),
            BFloat16 => FloatingPointCodec<T>.BFloat16(),
            TopK => new TopKCodec<T>(options.TopK),
            RandomK => new RandomKCodec<T>(options.RandomK),
            Qsgd => new QsgdCodec<T>(options.Qsgd),
            Uniform => new UniformCodec<T>(options.Uniform),
            _ => throw new AggregationException($"No codec is named '{options.Codec}'; choose one of {string.Join(", ", All)}."),
        };
    }

    /// <summary>Makes one client's encoder: the named codec under the named feedback.</summary>
    /// <param name="options">Names and options.</param>
    /// <param name="dimension">d, the length of the updates to come.</param>
    /// <exception cref="AggregationException">An unknown name, options out of range, or feedback on a codec that is not contractive.</exception>
    public static IUpdateEncoder<T> CreateEncoder<T>(CompressionOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var codec = Create<T>(options);
        return options.Feedback switch
        {
            NoFeedback => new PlainEncoder<T>(codec, dimension),
            ErrorFeedback => new ErrorFeedback<T>(codec, dimension),
            Ef21 => new Ef21<T>(codec, dimension),
            EControl => new EControl<T>(options.EControl, codec, dimension),
            _ => throw new AggregationException($"No feedback is named '{options.Feedback}'; choose one of {string.Join(", ", AllFeedback)}."),
        };
    }
}
