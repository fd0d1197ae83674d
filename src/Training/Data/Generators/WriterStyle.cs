using System.Numerics;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Generators;

/// <summary>
/// What makes one hand differ from another: sixteen standard normal numbers (slant, proportions, pen, and a smooth distortion) and the
/// form preferred for each digit.
/// </summary>
internal sealed class WriterStyle
{
    private const int Dimensions = 16;

    private readonly double[] values = new double[Dimensions];
    private readonly double[] forms = new double[10];

    /// <summary>Draws a style: sixteen normals, then ten uniforms.</summary>
    public void Draw(SeededRandom random)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextNormal();
        }

        for (var i = 0; i < forms.Length; i++)
        {
            forms[i] = random.NextDouble();
        }
    }

    /// <summary>
    /// √h·writer + √(1 − h)·image: a standard normal again, with the share h of its variance from the writer; the form is the writer's
    /// with probability h.
    /// </summary>
    public void Blend(WriterStyle writer, WriterStyle image, double heterogeneity, bool ownForm)
    {
        var (ofWriter, ofImage) = (Math.Sqrt(heterogeneity), Math.Sqrt(1 - heterogeneity));
        for (var i = 0; i < Dimensions; i++)
        {
            values[i] = (ofWriter * writer.values[i]) + (ofImage * image.values[i]);
        }

        (ownForm ? writer.forms : image.forms).CopyTo(forms, 0);
    }

    public int Form(int digit) => (int)(forms[digit] * DigitSkeletons.Forms[digit].Length);

    /// <summary>Radius of the pen as a share of the image's side.</summary>
    public float PenRadius => (float)(0.042 * Math.Exp(0.28 * Bounded(4)));

    /// <summary>Width of the pen's soft edge as a share of the image's side.</summary>
    public float Blur => (float)(0.055 * Math.Exp(0.3 * Bounded(5)));

    /// <summary>Darkness of a full stroke.</summary>
    public float Ink => (float)(0.85 + (0.08 * Math.Clamp(values[6], -2.5, 1.8)));

    /// <summary>Where a point of the skeleton's unit box lands in a unit image.</summary>
    /// <param name="jitter">This image's own displacement of the whole digit.</param>
    public Vector2 Place(Vector2 point, Vector2 jitter)
    {
        // A smooth distortion bends strokes without opening the corners where they meet.
        var (x, y) = (point.X - 0.5, point.Y - 0.5);
        var bentX = x + (Amplitude * ((values[8] * Math.Sin((4.0 * y) + values[9])) + (0.6 * values[10] * Math.Sin((7.0 * x) + values[11]))));
        var bentY = y + (Amplitude * ((values[12] * Math.Sin((4.0 * x) + values[13])) + (0.6 * values[14] * Math.Sin((7.0 * y) + values[15]))));

        var width = 0.74 * Math.Exp((0.17 * Bounded(1)) + (0.1 * Bounded(2)));
        var height = 0.74 * Math.Exp(0.1 * Bounded(2));
        var slanted = (width * bentX) - ((0.08 + (0.24 * Bounded(0))) * height * bentY);
        var upright = height * bentY;
        var (sine, cosine) = Math.SinCos(0.14 * Bounded(3));
        return new Vector2(
            (float)(0.5 + (cosine * slanted) - (sine * upright)) + jitter.X,
            (float)(0.5 + (sine * slanted) + (cosine * upright)) + jitter.Y);
    }

    private const double Amplitude = 0.045;

    private double Bounded(int dimension) => Math.Clamp(values[dimension], -2.5, 2.5);
}
