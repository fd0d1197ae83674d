using System.Buffers.Binary;
using System.Text;
using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Tests.Parameters;

public class SafetensorsTests
{
    internal static readonly ParameterLayout Layout = ParameterLayout.Of(("fc1.weight", [3, 2]), ("fc1.bias", [3]), ("empty", [0, 5]), ("scale", []));

    internal static readonly float[] Values = [1, -2, 3.5f, 0.1f, 1e-20f, -65504, 7, 8, 9, 0.25f];

    internal static byte[] File(string json, int dataBytes) => File(Encoding.UTF8.GetBytes(json), dataBytes);

    internal static byte[] File(byte[] json, int dataBytes)
    {
        var file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }

    internal static byte[] Written(ElementType type = ElementType.F32)
    {
        var stream = new MemoryStream();
        new SafetensorsWriter { Metadata = new Dictionary<string, string> { ["version"] = "3", ["run"] = "a \"b\" µ" } }
            .Add<float>(Layout, Values, type).WriteTo(stream);
        return stream.ToArray();
    }

    /// <summary>A network stream: no seeking, no length, and bytes come in small pieces.</summary>
    internal sealed class Pipe(byte[] bytes, int piece = 3) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(piece, buffer.Length)]);
    }

    public class Writing_and_reading
    {
        [Theory]
        [InlineData(ElementType.F32)]
        [InlineData(ElementType.F64)]
        public void Gives_back_values_layout_and_metadata(ElementType type)
        {
            foreach (var stream in new Stream[] { new MemoryStream(Written(type)), new Pipe(Written(type)) })
            {
                var reader = SafetensorsReader.Open(stream);
                Assert.Equal(Layout, reader.Header.ToLayout());
                Assert.Equal("a \"b\" µ", reader.Header.Metadata["run"]);
                Assert.Equal("3", reader.Header.Metadata["version"]);
                var values = new float[Layout.Count];
                reader.Read<float>(Layout, values);
                Assert.Equal(Values, values);
            }
        }

        [Fact]
        public void Narrow_types_round_to_nearest()
        {
            foreach (var type in new[] { ElementType.F16, ElementType.BF16 })
            {
                var values = new double[Layout.Count];
                SafetensorsReader.Open(new MemoryStream(Written(type))).Read<double>(Layout, values);
                Assert.Equal(3.5, values[2]);
                Assert.Equal(type == ElementType.F16 ? 0.0999755859375 : 0.10009765625, values[3]);
            }
        }

        [Fact]
        public void Finds_tensors_by_name_whatever_their_order_in_the_file()
        {
            var other = ParameterLayout.Of(("b", [2]), ("a", [1]));
            var file = new MemoryStream();
            new SafetensorsWriter().Add<float>(other, new float[] { 2, 3, 1 }).WriteTo(file);
            foreach (var stream in new Stream[] { new MemoryStream(file.ToArray()), new Pipe(file.ToArray()) })
            {
                var values = new double[3];
                SafetensorsReader.Open(stream).Read(ParameterLayout.Of(("a", [1]), ("b", [2])), values.AsSpan());
                Assert.Equal([1.0, 2.0, 3.0], values);
            }
        }

        [Fact]
        public void Several_vectors_share_a_file()
        {
            var model = Values.Select(v => (double)v).ToArray();
            var momentum = Values.Select(v => -v).ToArray();
            var file = new MemoryStream();
            var writer = new SafetensorsWriter()
                .Add<float>(Layout, momentum, ElementType.BF16, "momentum/")
                .Add<double>(Layout, model, ElementType.F64, "model/")
                .Add<float>(Layout, momentum, ElementType.F32, "exact/");
            writer.WriteTo(file);
            Assert.Equal(file.Length, writer.Length);
            var reader = SafetensorsReader.Open(new MemoryStream(file.ToArray()));
            Assert.All(reader.Header.Tensors, t => Assert.Equal(0, t.Begin % (t.Bytes / Math.Max(1, t.Length) is var size and > 0 ? size : 1)));
            var exact = new float[Layout.Count];
            reader.Read<float>(Layout, exact, "exact/");
            Assert.Equal(momentum, exact);
            var doubles = new double[Layout.Count];
            reader.Read<double>(Layout, doubles, "model/");
            Assert.Equal(model, doubles);
            Assert.Equal(Layout, reader.Header.ToLayout("momentum/"));
        }

        [Fact]
        public void A_stream_that_cannot_seek_gives_vectors_in_file_order_only()
        {
            var file = new MemoryStream();
            new SafetensorsWriter().Add<float>(Layout, Values, prefix: "a/").Add<float>(Layout, Values, prefix: "b/").WriteTo(file);
            var values = new float[Layout.Count];
            var reader = SafetensorsReader.Open(new Pipe(file.ToArray()));
            reader.Read<float>(Layout, values, "b/");
            Assert.Equal(Values, values);
            Assert.Contains("cannot seek", Assert.Throws<AggregationException>(() => reader.Read<float>(Layout, values, "a/")).Message);
        }

        [Fact]
        public void Vectors_longer_than_the_buffer_come_back_whole()
        {
            var layout = ParameterLayout.Of(("w", [100_003]));
            var values = Enumerable.Range(0, layout.Count).Select(i => (float)i).ToArray();
            foreach (var type in new[] { ElementType.F32, ElementType.F64 })
            {
                var file = new MemoryStream();
                new SafetensorsWriter().Add<float>(layout, values, type).WriteTo(file);
                var back = new float[layout.Count];
                SafetensorsReader.Open(new Pipe(file.ToArray(), 70_001)).Read<float>(layout, back);
                Assert.Equal(values, back);
            }
        }

        [Fact]
        public void Same_content_gives_same_bytes_whatever_the_order_of_metadata()
        {
            byte[] Bytes(params string[] keys)
            {
                var stream = new MemoryStream();
                new SafetensorsWriter { Metadata = keys.ToDictionary(k => k, k => k) }.Add<float>(Layout, Values).WriteTo(stream);
                return stream.ToArray();
            }

            Assert.Equal(Bytes("a", "b", "c"), Bytes("c", "a", "b"));
        }

        [Fact]
        public void NaN_and_infinity_are_stored_as_they_are()
        {
            var layout = ParameterLayout.Of(("w", [3]));
            foreach (var type in Enum.GetValues<ElementType>())
            {
                var file = new MemoryStream();
                new SafetensorsWriter().Add<float>(layout, new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity }, type).WriteTo(file);
                var back = new float[3];
                SafetensorsReader.Open(new MemoryStream(file.ToArray())).Read<float>(layout, back);
                Assert.Equal([float.NaN, float.PositiveInfinity, float.NegativeInfinity], back);
            }
        }

        [Fact]
        public void A_value_that_the_type_cannot_hold_is_refused()
        {
            var layout = ParameterLayout.Of(("w", [2]));
            var writer = new SafetensorsWriter().Add<float>(layout, new[] { 1f, 1e6f }, ElementType.F16);
            var message = Assert.Throws<AggregationException>(() => writer.WriteTo(new MemoryStream())).Message;
            Assert.Contains("Parameter 1", message);
            Assert.Contains("65504", message);
        }

        [Fact]
        public void A_name_twice_is_refused_before_anything_is_written()
        {
            var writer = new SafetensorsWriter().Add<float>(Layout, Values);
            Assert.Contains("prefix", Assert.Throws<AggregationException>(() => writer.Add<float>(Layout, Values)).Message);
            var reserved = ParameterLayout.Of(("__metadata__", [1]));
            Assert.Contains("reserved", Assert.Throws<AggregationException>(() => writer.Add<float>(reserved, new float[1])).Message);
        }
    }

    public class Asking_for_another_layout
    {
        private static string Refusal(ParameterLayout layout, string prefix = "") =>
            Assert.Throws<AggregationException>(
                () => SafetensorsReader.Open(new MemoryStream(Written())).Read<float>(layout, new float[layout.Count], prefix)).Message;

        [Fact]
        public void Names_the_tensor_that_is_missing() =>
            Assert.Contains("'fc2.weight'", Refusal(ParameterLayout.Of(("fc2.weight", [1]))));

        [Fact]
        public void Names_the_shape_that_is_wrong() =>
            Assert.Contains("should have shape [2, 3]", Refusal(ParameterLayout.Of(("fc1.weight", [2, 3]), ("fc1.bias", [3]))));

        [Fact]
        public void Names_the_tensor_that_nobody_asked_for() =>
            Assert.Contains("'fc1.bias'", Refusal(ParameterLayout.Of(("fc1.weight", [3, 2]))));

        [Fact]
        public void Passes_over_others_when_told_to()
        {
            var layout = ParameterLayout.Of(("fc1.bias", [3]));
            var values = new float[3];
            SafetensorsReader.Open(new Pipe(Written())).Read<float>(layout, values, ignoreOthers: true);
            Assert.Equal([7f, 8f, 9f], values);
        }

        [Fact]
        public void Leaves_the_buffer_alone_when_something_is_wrong_with_the_request()
        {
            var values = new float[] { 42, 42, 42, 42, 42, 42, 42 };
            var layout = ParameterLayout.Of(("fc1.weight", [3, 2]), ("missing", [1]));
            Assert.Throws<AggregationException>(() => SafetensorsReader.Open(new MemoryStream(Written())).Read<float>(layout, values));
            Assert.All(values, v => Assert.Equal(42, v));
        }
    }

    public class Malformed_files
    {
        private const string Good = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

        private static string Refusal(byte[] file)
        {
            var message = Assert.Throws<AggregationException>(() => SafetensorsReader.Open(new MemoryStream(file))).Message;
            Assert.Throws<AggregationException>(() =>
            {
                var reader = SafetensorsReader.Open(new Pipe(file));
                var layout = reader.Header.ToLayout();
                reader.Read<float>(layout, new float[layout.Count]);
            });
            return message;
        }

        [Fact]
        public void The_well_formed_one_passes() => Assert.Equal(8, SafetensorsReader.Open(new MemoryStream(File(Good, 8))).Header.DataBytes);

        [Fact]
        public void Empty() => Assert.Contains("only 0 were there", Refusal([]));

        [Fact]
        public void Ends_within_the_header() => Assert.Contains("truncated", Refusal(File(Good, 8)[..20]));

        [Fact]
        public void Ends_within_the_data() => Assert.Contains("truncated", Refusal(File(Good, 7)));

        [Fact]
        public void Goes_on_after_the_data() => Assert.Contains("belong to no tensor", Refusal(File(Good, 9)));

        [Theory]
        [InlineData(ulong.MaxValue)]
        [InlineData(1UL << 63)]
        [InlineData(3UL << 30)]
        [InlineData((16UL << 20) + 1)]
        public void Header_length_over_the_limit(ulong length)
        {
            var file = File(Good, 8);
            BinaryPrimitives.WriteUInt64LittleEndian(file, length);
            Assert.Contains("limit is 16777216", Refusal(file));
        }

        [Fact]
        public void Header_length_within_the_limit_but_a_lie_costs_no_memory()
        {
            var file = File(Good, 8);
            BinaryPrimitives.WriteUInt64LittleEndian(file, 16 << 20);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<AggregationException>(() => SafetensorsReader.Open(new Pipe(file)));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        }

        [Theory]
        [InlineData("[]", "begin with '{'")]
        [InlineData("{", "not valid JSON")]
        [InlineData("{} x", "not valid JSON")]
        [InlineData("{\"a\":1}", "must be an object")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "two data_offsets")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "two data_offsets")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", "two data_offsets")]
        [InlineData("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", "unknown dtype 'F31'")]
        [InlineData("{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", "must be a string")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "integers from 0")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "integers from 0")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", "integers from 0")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", "array of integers")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}", "integers from 0")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", "larger than any file")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905,4],\"data_offsets\":[0,16]}}", "larger than any file")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "needs 12 bytes")]
        [InlineData("{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,8]}}", "needs 16 bytes")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "data_offsets are [8, 0]")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", "integers from 0")]
        [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", "whole bytes")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", "no gaps")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", "overlap")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "overlap")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[5,9]}}", "no gaps")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "'a' appears twice")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "'dtype' appears twice")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}", "unknown field 'extra'")]
        [InlineData("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "'a' appears twice")]
        [InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", "'__metadata__' appears twice")]
        [InlineData("{\"__metadata__\":{\"a\":1}}", "must be a string")]
        [InlineData("{\"__metadata__\":[]}", "object of strings")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", "not valid JSON")]
        [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],}}", "not valid JSON")]
        [InlineData("{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "not valid JSON")]
        public void Header_that_says(string json, string reason) => Assert.Contains(reason, Refusal(File(json, 8)));

        [Fact]
        public void Deep_JSON() => Assert.Contains("must be an object", Refusal(File("{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + "}", 0)));

        [Fact]
        public void Name_that_is_not_UTF8() =>
            Assert.Contains("not valid JSON", Refusal(File([.. "{\""u8, 0xFF, 0xFE, .. "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"u8], 8)));

        [Fact]
        public void Terabytes_announced_and_nothing_sent_costs_no_memory()
        {
            var file = File("{\"a\":{\"dtype\":\"F32\",\"shape\":[1000000000000],\"data_offsets\":[0,4000000000000]}}", 8);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Refusal(file);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        }

        [Fact]
        public void Integers_where_parameters_are_wanted()
        {
            var file = File("{\"steps\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8);
            var reader = SafetensorsReader.Open(new MemoryStream(file));
            Assert.Contains("not floating point", Assert.Throws<AggregationException>(() => reader.Header.ToLayout()).Message);
            Assert.Contains(
                "I64",
                Assert.Throws<AggregationException>(() => reader.Read<float>(ParameterLayout.Of(("steps", [1])), new float[1])).Message);
        }
    }
}
