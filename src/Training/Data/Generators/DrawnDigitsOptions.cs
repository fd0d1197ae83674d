using System.ComponentModel.DataAnnotations;

namespace Federated.Training.Data.Generators;

/// <summary>Options of <see cref="DrawnDigits"/>.</summary>
public sealed record DrawnDigitsOptions : DataSourceOptions
{
    /// <value>How many writers draw; with the natural partition each is a client. The default is 50. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int Writers { get; init; } = 50;

    /// <value>Training images that each writer draws. The default is 200. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int TrainPerWriter { get; init; } = 200;

    /// <value>Held-out images that each writer draws. The default is 40. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int TestPerWriter { get; init; } = 40;

    /// <value>Height and width of an image in pixels. The default is 28. Must be in 12..64.</value>
    [Range(12, 64)]
    public int Size { get; init; } = 28;

    /// <value>
    /// Share of the variance of style (slant, width, proportions, letter forms) that lies between writers rather than between the images
    /// of one writer. The images of all writers together are distributed alike for every value. The default is 0.7; 0 makes all writers
    /// the same, 1 gives each a fixed hand. Must be in [0, 1].
    /// </value>
    [Range(0.0, 1.0)]
    public double Heterogeneity { get; init; } = 0.7;

    /// <value>Standard deviation of the noise added to every pixel, on the scale black 0 to white 1. The default is 0.15. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Noise { get; init; } = 0.15;
}
