using System.Globalization;
using System.Text;
using Federated.Simulation.Results;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Simulation.Tests.Results;

public sealed class CsvWriterTests
{
    private static string Write(Action<CsvWriter> rows, params string[] header)
    {
        var stream = new MemoryStream();
        using (var csv = new CsvWriter(stream, header))
        {
            rows(csv);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    [Fact]
    public void FieldsAreSeparatedAndRowsEnded() => Assert.Equal("a,b\n1,2.5\n", Write(
        csv =>
        {
            csv.Write(1);
            csv.Write(2.5);
            csv.EndRow();
        },
        "a", "b"));

    [Fact]
    public void NumbersReadBackToTheSameBits() => Check.One(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL), Prop.ForAll<double>(number =>
    {
        var text = Write(
            csv =>
            {
                csv.Write(number);
                csv.EndRow();
            },
            "x");
        var read = double.Parse(text.Split('\n')[1], CultureInfo.InvariantCulture);
        Assert.Equal(BitConverter.DoubleToInt64Bits(number), BitConverter.DoubleToInt64Bits(read));
    }));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("Zürich", "Zürich")]
    public void TextIsQuotedWhereItMustBe(string text, string field) => Assert.Equal($"x\n{field}\n", Write(
        csv =>
        {
            csv.Write(text);
            csv.EndRow();
        },
        "x"));

    [Fact]
    public void WhatARunDoesNotHaveIsAnEmptyField() => Assert.Equal("x,y\n,NaN\n", Write(
        csv =>
        {
            csv.WriteOptional(double.NaN);
            csv.Write(double.NaN);
            csv.EndRow();
        },
        "x", "y"));

    [Fact]
    public void ARowOfAnotherLengthIsADefect()
    {
        using var csv = new CsvWriter(new MemoryStream(), "a", "b");
        csv.Write(1);
        Assert.Throws<InvalidOperationException>(csv.EndRow);
    }

    [Fact]
    public void RowsBeyondTheBufferAreKept()
    {
        var text = Write(
            csv =>
            {
                for (var i = 0; i < 20_000; i++)
                {
                    csv.Write(i);
                    csv.Write(i / 3.0);
                    csv.EndRow();
                }
            },
            "i", "x");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(20_001, lines.Length);
        Assert.All(lines.Skip(1).Select((line, i) => (line, i)), row => Assert.Equal($"{row.i},{(row.i / 3.0).ToString(CultureInfo.InvariantCulture)}", row.line));
    }

    [Fact]
    public void AFieldLongerThanTheBufferIsKept() => Assert.Equal($"x\n{new string('é', 100_000)}\n", Write(
        csv =>
        {
            csv.Write(new string('é', 100_000));
            csv.EndRow();
        },
        "x"));
}
