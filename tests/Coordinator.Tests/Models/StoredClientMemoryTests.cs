using Federated.Aggregation;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Models;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;

namespace Federated.Coordinator.Tests.Models;

public static class StoredClientMemoryTests
{
    private const int D = 6;

    public sealed class WhateverHappens
    {
        [Theory]
        [InlineData(1UL, 1)]
        [InlineData(2UL, 2)]
        [InlineData(3UL, 3)]
        [InlineData(4UL, 100)]
        public void It_reads_as_a_memory_that_holds_everything_across_evictions_saves_and_restarts(ulong seed, int capacity)
        {
            var random = new SeededRandom(seed);
            var disk = new FaultyFileSystem(seed);
            var expected = new ClientMemory<double>();
            var memory = new StoredClientMemory<double>(new FileBlobStore(disk, "blobs"), D, capacity);
            for (var operation = 0; operation < 500; operation++)
            {
                var client = random.NextInt(12);
                switch (random.NextInt(8))
                {
                    case 0:
                        memory.Remove(client);
                        expected.Remove(client);
                        break;
                    case 1:
                        var bytes = Save(memory);
                        disk.Restart();
                        memory = Load(new FileBlobStore(disk, "blobs"), bytes, capacity);
                        break;
                    default:
                        var vector = Vector(random);
                        memory.Write(client, operation, vector);
                        expected.Write(client, operation, vector);
                        break;
                }

                Assert.InRange(memory.Cached, 0, capacity);
                Assert.Equal(expected.Clients, memory.Clients);
                var probe = random.NextInt(12);
                var (there, here) = (new double[D], new double[D]);
                Assert.Equal(expected.TryRead(probe, there, out var older), memory.TryRead(probe, here, out var sequence));
                Assert.Equal(older, sequence);
                Assert.Equal(there, here);
            }
        }
    }

    public sealed class AnAggregator
    {
        [Fact]
        public void Goes_on_to_the_same_bits_after_a_restart_that_repeats_what_came_after_the_save()
        {
            var disk = new FaultyFileSystem(1);
            var undisturbed = new AnarchicMemory<double>(D);
            var memory = new StoredClientMemory<double>(new FileBlobStore(disk, "blobs"), D, 2);
            var aggregator = new AnarchicMemory<double>(D, null, memory);
            Arrive(0, 10, undisturbed, aggregator);
            var saved = Save(memory);
            Arrive(10, 17, undisturbed, aggregator);

            disk.Restart();
            memory = Load(new FileBlobStore(disk, "blobs"), saved, 2);
            aggregator = new AnarchicMemory<double>(D, null, memory);
            Arrive(10, 17, aggregator);
            Arrive(17, 40, undisturbed, aggregator);
            Assert.Equal(Combined(undisturbed), Combined(aggregator));
        }

        [Fact]
        public void May_be_made_before_its_memory_is_restored()
        {
            var disk = new FaultyFileSystem(1);
            var memory = new StoredClientMemory<double>(new FileBlobStore(disk, "blobs"), D, 3);
            var before = new AnarchicMemory<double>(D, null, memory);
            Arrive(0, 10, before);
            var saved = Save(memory);

            var later = new StoredClientMemory<double>(new FileBlobStore(disk, "blobs"), D, 3);
            var after = new AnarchicMemory<double>(D, null, later);
            using var reader = new BinaryReader(new MemoryStream(saved));
            later.Load(reader);
            Arrive(10, 12, before, after);
            Assert.Equal(Combined(before), Combined(after));
        }
    }

    public sealed class Blobs
    {
        [Fact]
        public async Task Include_those_of_the_last_two_saves_since_a_crash_may_go_back_to_either()
        {
            var disk = new FaultyFileSystem(1);
            var store = new FileBlobStore(disk, "blobs");
            var memory = new StoredClientMemory<double>(store, D, 1);
            var random = new SeededRandom(5);
            var values = Enumerable.Range(0, 4).Select(_ => Vector(random)).ToArray();
            memory.Write(0, 0, values[0]);
            var first = Save(memory);
            memory.Write(0, 1, values[1]);
            var second = Save(memory);
            memory.Write(0, 2, values[2]);
            memory.Write(1, 3, values[3]); // Evicts client 0's: a third blob.
            Assert.Equal(3, memory.Blobs.Count());

            await memory.SweepAsync(store);
            var one = new double[D];
            Assert.True(Load(store, first, 1).TryRead(0, one, out _));
            Assert.Equal(values[0], one);
            Assert.True(Load(store, second, 1).TryRead(0, one, out _));
            Assert.Equal(values[1], one);
            Assert.True(memory.TryRead(0, one, out _));
            Assert.Equal(values[2], one);
        }

        [Fact]
        public void Of_another_form_are_refused()
        {
            using var reader = new BinaryReader(new MemoryStream([9, 0, 0, 0]));
            var memory = new StoredClientMemory<double>(new FileBlobStore(new FaultyFileSystem(1), "blobs"), D, 1);
            Assert.Contains("form 9", Assert.Throws<CoordinatorException>(() => memory.Load(reader)).Message, StringComparison.Ordinal);
        }
    }

    private static async Task SweepAsync(this StoredClientMemory<double> memory, FileBlobStore store) =>
        await store.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(memory.Blobs.Select(b => b.Sha256).ToHashSet()), default);

    private static void Arrive(int from, int to, params AnarchicMemory<double>[] aggregators)
    {
        for (var i = from; i < to; i++)
        {
            var random = SeededRandom.Derive(7, "arrival", i);
            var (client, delta, steps) = (random.NextInt(5), Vector(random), 1 + random.NextInt(4));
            foreach (var aggregator in aggregators)
            {
                aggregator.Add(new Contribution<double>(client, delta, 1) { Sequence = i, LocalSteps = steps });
            }
        }
    }

    private static double[] Combined(AnarchicMemory<double> aggregator)
    {
        var result = new double[D];
        aggregator.Combine(result);
        return result;
    }

    private static double[] Vector(SeededRandom random) => [.. Enumerable.Range(0, D).Select(_ => random.NextDouble() - 0.5)];

    private static byte[] Save(StoredClientMemory<double> memory)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        memory.Save(writer);
        writer.Flush();
        return bytes.ToArray();
    }

    private static StoredClientMemory<double> Load(IBlobStore blobs, byte[] saved, int capacity)
    {
        var memory = new StoredClientMemory<double>(blobs, D, capacity);
        using var reader = new BinaryReader(new MemoryStream(saved));
        memory.Load(reader);
        return memory;
    }
}
