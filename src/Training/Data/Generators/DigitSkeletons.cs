using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Training.Data.Generators;

/// <summary>
/// The strokes of the ten digits as a pen would make them, in a unit box with y downwards; most digits have several forms in use
/// (a crossed 7, an open 4). A stroke is a Catmull–Rom curve through its points; sharp corners are where strokes meet.
/// </summary>
internal static class DigitSkeletons
{
    /// <summary>forms of a digit → strokes of a form → points of a stroke.</summary>
    public static readonly ImmutableArray<ImmutableArray<ImmutableArray<ImmutableArray<Vector2>>>> Forms =
    [
        // 0: a ring; a ring that starts and ends with an overlap at the top right; a narrow ring.
        [
            [Ring(0.5f, 0.5f, 0.27f, 0.4f, 0)],
            [Stroke(0.62, 0.14, 0.42, 0.1, 0.24, 0.32, 0.22, 0.6, 0.36, 0.88, 0.6, 0.88, 0.77, 0.62, 0.75, 0.32, 0.58, 0.12, 0.44, 0.18)],
            [Ring(0.5f, 0.5f, 0.19f, 0.4f, 0.15f)],
        ],

        // 1: a bar; with an upstroke; with an upstroke and a foot.
        [
            [Stroke(0.5, 0.1, 0.5, 0.9)],
            [Stroke(0.32, 0.3, 0.52, 0.1), Stroke(0.52, 0.1, 0.52, 0.9)],
            [Stroke(0.34, 0.28, 0.5, 0.1), Stroke(0.5, 0.1, 0.5, 0.9), Stroke(0.32, 0.9, 0.68, 0.9)],
        ],

        // 2: arch, diagonal and base; the same with a loop at the lower left; with a curved base.
        [
            [Stroke(0.24, 0.3, 0.34, 0.13, 0.56, 0.1, 0.73, 0.26, 0.66, 0.48, 0.42, 0.72, 0.24, 0.89), Stroke(0.24, 0.89, 0.78, 0.89)],
            [Stroke(0.26, 0.26, 0.4, 0.11, 0.62, 0.13, 0.7, 0.32, 0.58, 0.56, 0.36, 0.8, 0.24, 0.86, 0.26, 0.74, 0.42, 0.76, 0.6, 0.88, 0.78, 0.84)],
            [Stroke(0.27, 0.2, 0.5, 0.1, 0.7, 0.22, 0.66, 0.46, 0.44, 0.66, 0.25, 0.86), Stroke(0.25, 0.86, 0.42, 0.8, 0.58, 0.88, 0.76, 0.82)],
        ],

        // 3: two bows; a flat top with a diagonal and a bow; two bows with a small inner loop.
        [
            [Stroke(0.27, 0.18, 0.48, 0.1, 0.7, 0.22, 0.66, 0.4, 0.44, 0.48), Stroke(0.44, 0.48, 0.68, 0.54, 0.76, 0.72, 0.6, 0.88, 0.4, 0.9, 0.24, 0.8)],
            [Stroke(0.26, 0.12, 0.72, 0.12), Stroke(0.72, 0.12, 0.46, 0.44), Stroke(0.46, 0.44, 0.7, 0.52, 0.75, 0.72, 0.58, 0.89, 0.36, 0.88, 0.25, 0.78)],
            [Stroke(0.28, 0.16, 0.52, 0.09, 0.7, 0.24, 0.58, 0.44, 0.42, 0.48, 0.47, 0.52, 0.66, 0.5, 0.76, 0.68, 0.6, 0.89, 0.34, 0.88)],
        ],

        // 4: open top; closed top; a bent single stroke with the stem crossing.
        [
            [Stroke(0.34, 0.12, 0.24, 0.56), Stroke(0.24, 0.56, 0.78, 0.56), Stroke(0.64, 0.12, 0.62, 0.92)],
            [Stroke(0.62, 0.1, 0.22, 0.62), Stroke(0.22, 0.62, 0.8, 0.62), Stroke(0.62, 0.1, 0.62, 0.92)],
            [Stroke(0.32, 0.14, 0.27, 0.36, 0.34, 0.52, 0.52, 0.54, 0.68, 0.44), Stroke(0.7, 0.12, 0.66, 0.5, 0.6, 0.92)],
        ],

        // 5: top bar, stem and bow; the same with a rounder hand; a single S-like stroke.
        [
            [Stroke(0.74, 0.12, 0.34, 0.12), Stroke(0.34, 0.12, 0.3, 0.46), Stroke(0.3, 0.46, 0.52, 0.4, 0.73, 0.52, 0.74, 0.72, 0.56, 0.88, 0.27, 0.84)],
            [Stroke(0.72, 0.11, 0.36, 0.13), Stroke(0.36, 0.13, 0.28, 0.42, 0.46, 0.43, 0.68, 0.54, 0.7, 0.76, 0.5, 0.9, 0.26, 0.82)],
            [Stroke(0.74, 0.16, 0.54, 0.1, 0.36, 0.18, 0.36, 0.4, 0.56, 0.5, 0.7, 0.66, 0.62, 0.85, 0.42, 0.9, 0.26, 0.82)],
        ],

        // 6: a curved stem into a bowl; a straight stem; a high curl.
        [
            [Stroke(0.66, 0.12, 0.44, 0.22, 0.28, 0.48, 0.26, 0.72, 0.42, 0.9, 0.64, 0.86, 0.74, 0.7, 0.62, 0.54, 0.42, 0.54, 0.28, 0.68)],
            [Stroke(0.48, 0.1, 0.36, 0.38, 0.27, 0.66, 0.38, 0.88, 0.6, 0.88, 0.7, 0.72, 0.6, 0.57, 0.42, 0.56, 0.3, 0.68)],
            [Stroke(0.72, 0.2, 0.56, 0.1, 0.36, 0.24, 0.26, 0.54, 0.32, 0.82, 0.52, 0.9, 0.7, 0.78, 0.7, 0.6, 0.52, 0.5, 0.34, 0.6)],
        ],

        // 7: bar and diagonal; crossed; with a bent stem.
        [
            [Stroke(0.24, 0.13, 0.76, 0.13), Stroke(0.76, 0.13, 0.42, 0.9)],
            [Stroke(0.24, 0.13, 0.76, 0.13), Stroke(0.76, 0.13, 0.4, 0.9), Stroke(0.36, 0.5, 0.72, 0.5)],
            [Stroke(0.24, 0.22, 0.27, 0.12, 0.5, 0.15, 0.74, 0.12), Stroke(0.74, 0.12, 0.56, 0.44, 0.48, 0.9)],
        ],

        // 8: an S closed by an upstroke; two rings; a slim one.
        [
            [Stroke(0.66, 0.2, 0.48, 0.1, 0.32, 0.22, 0.38, 0.4, 0.6, 0.54, 0.72, 0.72, 0.56, 0.9, 0.36, 0.86, 0.28, 0.7, 0.42, 0.52, 0.6, 0.4, 0.7, 0.26, 0.64, 0.18)],
            [Ring(0.5f, 0.29f, 0.18f, 0.19f, 0), Ring(0.5f, 0.69f, 0.23f, 0.21f, 0)],
            [Stroke(0.6, 0.16, 0.46, 0.11, 0.38, 0.26, 0.48, 0.46, 0.62, 0.68, 0.56, 0.87, 0.42, 0.87, 0.36, 0.7, 0.48, 0.5, 0.62, 0.3, 0.58, 0.15)],
        ],

        // 9: a ring with a straight stem; with a curved tail; a g-like hook.
        [
            [Ring(0.48f, 0.32f, 0.21f, 0.21f, 0), Stroke(0.69, 0.14, 0.66, 0.9)],
            [Stroke(0.7, 0.26, 0.52, 0.12, 0.32, 0.22, 0.3, 0.42, 0.48, 0.52, 0.66, 0.42, 0.71, 0.24, 0.7, 0.5, 0.6, 0.76, 0.4, 0.9)],
            [Stroke(0.7, 0.2, 0.5, 0.11, 0.31, 0.26, 0.36, 0.46, 0.56, 0.47, 0.7, 0.3), Stroke(0.7, 0.16, 0.72, 0.6, 0.64, 0.86, 0.44, 0.9, 0.28, 0.8)],
        ],
    ];

    private static ImmutableArray<Vector2> Stroke(params ReadOnlySpan<double> coordinates)
    {
        var points = ImmutableArray.CreateBuilder<Vector2>(coordinates.Length / 2);
        for (var i = 0; i < coordinates.Length; i += 2)
        {
            points.Add(new Vector2((float)coordinates[i], (float)coordinates[i + 1]));
        }

        return points.ToImmutable();
    }

    private static ImmutableArray<Vector2> Ring(float x, float y, float radiusX, float radiusY, float tilt)
    {
        const int Points = 8;
        var points = ImmutableArray.CreateBuilder<Vector2>(Points + 1);
        for (var i = 0; i <= Points; i++)
        {
            var (sine, cosine) = MathF.SinCos((MathF.Tau * (i % Points) / Points) - (MathF.PI / 2));
            points.Add(new Vector2(x + (radiusX * cosine) - (tilt * radiusY * sine), y + (radiusY * sine)));
        }

        return points.ToImmutable();
    }
}
