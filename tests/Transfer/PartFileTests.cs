using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pelican.Json;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class PartFileTests : IDisposable
{
    private const int Size = 3 * 1024 * 1024;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private static readonly ObjectUrl Url = ObjectUrl.Parse("osdf:///ns/o", new ClientSettings());
    private static readonly byte[] Content = Bytes.Random(Size);
    private static readonly DateTimeOffset Time = new(2026, 11, 23, 23, 47, 39, TimeSpan.Zero);
    private static readonly PartState Source = new("https://osg-htc.org/ns/o", Size, Time) { Server = "cache:8443", OneVersion = true };

    private readonly string _folder = Directory.CreateTempSubdirectory("part-file-").FullName;

    private string Destination => Path.Combine(_folder, "o.dat");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_part_is_hidden_beside_its_destination_and_appears_whole()
    {
        using (PartFile part = Open())
        {
            part.Append(Content);

            await Assert.That(part.Length).IsEqualTo(Size);
            await Assert.That(Path.GetDirectoryName(part.Path)).IsEqualTo(_folder);
            await Assert.That(Path.GetFileName(part.Path)).StartsWith(".o.dat.").And.EndsWith(".pelican-part");
            await Assert.That(File.Exists(Destination)).IsFalse();

            part.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    public async Task A_new_part_comes_from_nowhere()
    {
        using PartFile part = Open();

        await Assert.That(part.Length).IsEqualTo(0);
        await Assert.That(part.State).IsNull();
    }

    [Test]
    public async Task A_remembered_part_is_gone_on_with()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        await Assert.That(Files().Length).IsEqualTo(2);

        using (PartFile part = Open())
        {
            await Assert.That(part.Length).IsEqualTo(2_000_000);
            await Assert.That(part.State).IsNotNull();
            await Assert.That(part.State! with { Holder = null }).IsEqualTo(Source);
            using Checksum checksum = Checksum.Create(ChecksumAlgorithm.Md5);
            part.AppendTo(checksum, CancellationToken.None);
            await Assert.That(Convert.ToHexString(checksum.Value())).IsEqualTo(Md5(Content.AsSpan(0, 2_000_000)));

            part.Append(Content.AsSpan(2_000_000));
            part.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    public async Task The_note_of_an_earlier_release_is_understood()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        const string Recorded = """{"url":"https://osg-htc.org/ns/o","size":3145728,"modified":"2026-11-23T23:47:39+00:00","e_tag":"\u0022abc\u0022"}""";
        await File.WriteAllTextAsync(Note(), Recorded);

        using PartFile part = Open();

        await Assert.That(part.Length).IsEqualTo(2_000_000);
        // Of which server, and of how many versions, it did not say.
        await Assert.That(part.State).IsEqualTo(new PartState(Source.Url, Size, Time, "\"abc\""));
        await Assert.That(part.State!.OneVersion).IsFalse();
    }

    [Test]
    public async Task A_note_that_is_cut_or_strange_starts_over()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        string note = await File.ReadAllTextAsync(Note());
        byte[] bytes = await File.ReadAllBytesAsync(PartPath());
        string[] strange =
        [
            "null", "[]", "7", "{}", "{\"size\":3145728}", note.Replace("/ns/o", "/ns/other", StringComparison.Ordinal),
            note.Replace($"{Size}", "1999999", StringComparison.Ordinal), note.Replace($"{Size}", "\"x\"", StringComparison.Ordinal), "\0\0\0\0",
        ];
        foreach (string text in Enumerable.Range(0, note.Length).Select(length => note[..length]).Concat(strange))
        {
            await File.WriteAllTextAsync(Note(create: true), text);
            await File.WriteAllBytesAsync(PartPath(create: true), bytes);

            using PartFile part = Open();

            await Assert.That(part.Length).IsEqualTo(0).Because(text);
            await Assert.That(part.State).IsNull();
            await Assert.That(new FileInfo(part.Path).Length).IsEqualTo(0);
            await Assert.That(File.Exists(Note(create: true))).IsFalse();
        }
    }

    [Test]
    public async Task A_part_without_a_note_starts_over()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        File.Delete(Note());

        using PartFile part = Open();

        await Assert.That(part.Length).IsEqualTo(0);
    }

    [Test]
    [Arguments("osdf:///ns/other")]
    [Arguments("pelican://fed.example/ns/o")]
    public async Task Another_object_does_not_continue_it(string other)
    {
        Leave(Content.AsSpan(0, 2_000_000));

        using (PartFile part = PartFile.Open(Destination, ObjectUrl.Parse(other, new ClientSettings()), Mode))
        {
            await Assert.That(part.Length).IsEqualTo(0);
        }

        using PartFile own = Open();
        await Assert.That(own.Length).IsEqualTo(2_000_000);
    }

    [Test]
    public async Task The_query_does_not_make_another_object()
    {
        Leave(Content.AsSpan(0, 2_000_000));

        using PartFile part = PartFile.Open(Destination, ObjectUrl.Parse("osdf:///ns/o?directread", new ClientSettings()), Mode);

        await Assert.That(part.Length).IsEqualTo(2_000_000);
    }

    [Test]
    [Arguments(PartFile.WorthKeeping - 1, 0)]
    [Arguments(PartFile.WorthKeeping, 2)]
    public async Task Only_what_is_worth_a_question_is_kept(long length, int files)
    {
        Leave(Content.AsSpan(0, (int)length));

        await Assert.That(Files().Length).IsEqualTo(files);
    }

    [Test]
    public async Task What_comes_from_nowhere_is_not_kept()
    {
        using (PartFile part = Open())
        {
            part.Append(Content);
        }

        await Assert.That(Files()).IsEmpty();
    }

    [Test]
    public async Task Bytes_can_be_taken_back()
    {
        using (PartFile part = Open())
        {
            part.Append(Content.AsSpan(0, 1000));
            part.Append("HTTP/1.1 500"u8);
            part.Truncate(1000);
            part.Append(Content.AsSpan(1000));
            part.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
    }

    [Test]
    public async Task Neither_a_kept_part_nor_the_final_file_has_more_blocks_than_bytes(CancellationToken cancellationToken)
    {
        using (PartFile part = Open())
        {
            part.Append(Content.AsSpan(0, 1_500_000));
            part.Append(Content.AsSpan(1_500_000, 500_000));
            part.Remember(Source);
        }

        await Assert.That(await BlockBytesAsync(PartPath(), cancellationToken)).IsLessThan(Size);

        using (PartFile part = Open())
        {
            part.Append(Content.AsSpan(2_000_000));
            part.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(await BlockBytesAsync(Destination, cancellationToken)).IsLessThan(2 * Size);
    }

    [Test]
    public async Task Starting_over_forgets_bytes_and_source()
    {
        Leave(Content);
        using PartFile part = Open();
        part.StartOver();

        await Assert.That(part.Length).IsEqualTo(0);
        await Assert.That(part.State).IsNull();
        await Assert.That(Files().Length).IsEqualTo(1);
    }

    [Test]
    public async Task Two_downloads_of_one_object_to_one_place_do_not_disturb_each_other()
    {
        byte[] other = Bytes.Random(Size, seed: 8);
        using (PartFile first = Open())
        using (PartFile second = Open())
        {
            first.Append(Content);
            first.Remember(Source);
            second.Append(other);
            second.Remember(Source);

            await Assert.That(second.Path).IsNotEqualTo(first.Path);

            second.Publish(Mode);
            first.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    public async Task The_second_of_two_leaves_no_part_of_its_own_and_keeps_that_of_the_first()
    {
        using PartFile first = Open();
        first.Append(Content);
        first.Remember(Source);
        using (PartFile second = Open())
        {
            second.Append(Content);
            second.Remember(Source);
            second.StartOver();
            second.Append(Content);
            second.Remember(Source);
        }

        await Assert.That(Files().Length).IsEqualTo(2);
        await Assert.That(File.Exists(first.Path)).IsTrue();
        await Assert.That(File.Exists(first.Path + ".json")).IsTrue();
    }

    [Test]
    public async Task What_is_discarded_is_gone_and_the_name_is_free()
    {
        using PartFile part = Open();
        part.Append(Content);
        part.Remember(Source);
        part.Discard();

        await Assert.That(Files()).IsEmpty();
        await Assert.That(part.CanBeResumed).IsFalse();
    }

    [Test]
    public async Task After_it_was_discarded_the_name_may_be_another_ones()
    {
        PartFile part = Open();
        part.Append(Content.AsSpan(0, 10));
        part.Discard();
        using (PartFile next = Open())
        {
            next.Append(Content);
            part.Dispose();
            next.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
    }

    [Test]
    [Arguments("640")]
    [Arguments("600")]
    [Arguments("666")]
    [Arguments("444")]
    [Arguments("200")]
    public async Task The_final_file_has_exactly_the_mode_asked_for(string octal)
    {
        var mode = (UnixFileMode)Convert.ToInt32(octal, 8);
        Leave(Content.AsSpan(0, 2_000_000));
        using PartFile part = PartFile.Open(Destination, Url, mode);
        part.Publish(mode);

        await Assert.That(File.GetUnixFileMode(Destination)).IsEqualTo(mode);
    }

    [Test]
    public async Task An_existing_file_is_replaced_and_not_written_into()
    {
        await File.WriteAllTextAsync(Destination, "old");
        using FileStream reader = File.OpenRead(Destination);
        Publish();

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(reader.Length).IsEqualTo(3);
    }

    [Test]
    public async Task A_link_is_replaced_and_not_followed()
    {
        string elsewhere = Path.Combine(_folder, "elsewhere");
        await File.WriteAllTextAsync(elsewhere, "precious");
        File.CreateSymbolicLink(Destination, elsewhere);
        Publish();

        await Assert.That(new FileInfo(Destination).LinkTarget).IsNull();
        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(await File.ReadAllTextAsync(elsewhere)).IsEqualTo("precious");
    }

    [Test]
    public async Task A_link_that_somebody_put_in_the_place_of_the_part_is_not_followed()
    {
        string path;
        using (PartFile part = Open())
        {
            path = part.Path;
        }

        string elsewhere = Path.Combine(_folder, "elsewhere");
        await File.WriteAllTextAsync(elsewhere, "precious");
        File.CreateSymbolicLink(path, elsewhere);
        Publish();

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(await File.ReadAllTextAsync(elsewhere)).IsEqualTo("precious");
        await Assert.That(File.GetUnixFileMode(elsewhere)).IsNotEqualTo(Mode);
    }

    [Test]
    [Arguments("x", 255)]
    [Arguments("é", 127)]
    [Arguments("☃", 85)]
    [Arguments("😀", 63)]
    public async Task The_longest_names_leave_room_for_the_part(string letter, int count)
    {
        string destination = Path.Combine(_folder, string.Concat(Enumerable.Repeat(letter, count)));
        using (PartFile part = PartFile.Open(destination, Url, Mode))
        {
            part.Append(Content);
            part.Remember(Source);
        }

        foreach (string name in Files())
        {
            await Assert.That(Encoding.UTF8.GetByteCount(name)).IsLessThanOrEqualTo(255);
            await Assert.That(name).DoesNotContain("\uFFFD");
        }

        using PartFile again = PartFile.Open(destination, Url, Mode);
        await Assert.That(again.Length).IsEqualTo(Size);
        again.Publish(Mode);
        await Assert.That(Files()).IsEquivalentTo([Path.GetFileName(destination)]);
    }

    [Test]
    [Arguments("x", 256)]
    [Arguments("😀", 64)]
    public async Task A_name_that_no_file_can_have_is_refused_before_the_first_byte(string letter, int count)
    {
        string destination = Path.Combine(_folder, string.Concat(Enumerable.Repeat(letter, count)));

        PelicanException error = Assert.Throws<PelicanException>(() => PartFile.Open(destination, Url, Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.Local);
        await Assert.That(error.Message).Contains("too long");
        await Assert.That(Files()).IsEmpty();
    }

    [Test]
    public async Task A_directory_in_the_place_of_the_destination_is_a_local_fault()
    {
        Directory.CreateDirectory(Destination);
        using (PartFile part = Open())
        {
            part.Append(Content.AsSpan(0, 10));

            PelicanException error = Assert.Throws<PelicanException>(() => part.Publish(Mode));

            await Assert.That(error.Row.Name).StartsWith("Local");
        }

        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    public async Task A_directory_that_goes_away_is_a_local_fault()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "gone")).FullName;
        using PartFile part = PartFile.Open(Path.Combine(folder, "o"), Url, Mode);
        part.Append(Content);
        part.Remember(Source);
        Directory.Delete(folder, recursive: true);

        await Assert.That(Assert.Throws<PelicanException>(part.StartOver).Row).IsEqualTo(Errors.LocalFileNotFound);
        part.Remember(Source);
        await Assert.That(part.CanBeResumed).IsFalse(); // without a note
        await Assert.That(Assert.Throws<PelicanException>(() => part.Publish(Mode)).Row).IsEqualTo(Errors.LocalFileNotFound);
        part.Discard();
    }

    [Test]
    public async Task A_missing_directory_is_a_local_fault()
    {
        PelicanException error = Assert.Throws<PelicanException>(() => PartFile.Open(Path.Combine(_folder, "none", "o"), Url, Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.LocalFileNotFound);
    }

    [Test]
    public async Task Without_locks_two_downloads_do_not_disturb_each_other()
    {
        byte[] other = Bytes.Random(Size, seed: 8);
        using (PartFile first = OpenByName())
        using (PartFile second = OpenByName())
        {
            first.Append(Content.AsSpan(0, 1_500_000));
            first.Remember(Source);
            second.Append(other);
            second.Remember(Source);
            first.Append(Content.AsSpan(1_500_000));

            await Assert.That(second.Path).IsNotEqualTo(first.Path);
            await Assert.That(second.CanBeResumed).IsFalse();

            second.Publish(Mode);
            first.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    public async Task Without_locks_what_was_left_is_gone_on_with_under_a_name_of_its_own()
    {
        string first = Leave(Content.AsSpan(0, 1_200_000), byName: true);
        string second = Leave(Content.AsSpan(1_200_000, 800_000), byName: true);
        using (PartFile part = OpenByName())
        {
            await Assert.That(part.Length).IsEqualTo(2_000_000);
            await Assert.That(part.IsDoubtful).IsFalse();
            await Assert.That(second).IsNotEqualTo(first);
            await Assert.That(part.Path).IsNotEqualTo(second);

            part.Append(Content.AsSpan(2_000_000));
            part.Seal(Crc32c(Content));
            part.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
        await Assert.That(Files()).IsEquivalentTo(["o.dat"]);
    }

    [Test]
    [Arguments(true, 0, true)] // killed on this host
    [Arguments(false, 11, true)] // another host, silent for long
    [Arguments(false, 1, false)] // another host, which may still be at it
    public async Task Without_locks_only_what_is_nobodys_is_gone_on_with(bool here, int minutes, bool taken)
    {
        string left = Leave(Content.AsSpan(0, 2_000_000), byName: true);
        PartState state = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(left + ".json"), PelicanJson.Default.PartState)!;
        PartHolder holder = state.Holder! with { Released = false, Process = int.MaxValue, Boot = here ? state.Holder.Boot : "another" };
        await File.WriteAllBytesAsync(left + ".json", JsonSerializer.SerializeToUtf8Bytes(state with { Holder = holder }, PelicanJson.Default.PartState));
        File.SetLastWriteTimeUtc(left, DateTime.UtcNow.AddMinutes(-minutes));

        using PartFile part = OpenByName();

        await Assert.That(part.Length).IsEqualTo(taken ? 2_000_000 : 0);
        await Assert.That(File.Exists(left)).IsEqualTo(!taken);
        await Assert.That(File.Exists(left + ".json")).IsTrue();
    }

    [Test]
    public async Task Without_locks_bytes_that_another_process_wrote_are_found_before_the_final_name()
    {
        using PartFile part = OpenByName();
        part.Append(Content);
        part.Seal(Crc32c(Content));
        using (FileStream other = new(part.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            other.Write(new byte[1000]);
        }

        PelicanException error = Assert.Throws<PelicanException>(() => part.Publish(Mode));

        await Assert.That(error.Message).Contains("another process has changed");
        await Assert.That(Files()).IsEmpty();
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task Without_locks_a_part_that_is_another_ones_by_now_is_not_published(bool replaced)
    {
        using (PartFile part = OpenByName())
        {
            part.Append(Content);
            File.Delete(part.Path);
            if (replaced)
            {
                await File.WriteAllBytesAsync(part.Path, Content);
            }

            Assert.Throws<PelicanException>(() => part.Publish(Mode));
        }

        await Assert.That(File.Exists(Destination)).IsFalse();
        await Assert.That(Files().Length).IsEqualTo(replaced ? 1 : 0);
    }

    [Test]
    public async Task What_was_written_before_the_host_went_down_is_doubted()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        string note = Note();
        PartState state = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(note), PelicanJson.Default.PartState)!;
        await AssertDoubtAsync(state.Holder, false);
        await AssertDoubtAsync(state.Holder! with { Boot = "the one before" }, true);
        await AssertDoubtAsync(state.Holder! with { Boot = "the one before", Synced = 1_999_999 }, true);
        await AssertDoubtAsync(state.Holder! with { Boot = "the one before", Synced = 2_000_000 }, false);
        await AssertDoubtAsync(null, true);

        async Task AssertDoubtAsync(PartHolder? holder, bool doubted)
        {
            await File.WriteAllBytesAsync(note, JsonSerializer.SerializeToUtf8Bytes(state with { Holder = holder }, PelicanJson.Default.PartState));
            using PartFile part = Open();
            await Assert.That(part.Length).IsEqualTo(2_000_000);
            await Assert.That(part.IsDoubtful).IsEqualTo(doubted);
        }
    }

    [Test]
    public async Task The_next_of_several_at_once_takes_what_a_killed_one_has_left()
    {
        using PartFile first = Open();
        string left;
        using (PartFile second = Open())
        {
            left = second.Path;
        }

        await File.WriteAllTextAsync(left, "left by one that was killed");
        using (PartFile second = Open())
        {
            await Assert.That(second.Path).IsEqualTo(left);
            await Assert.That(second.Length).IsEqualTo(0);
            second.Append(Content);
            second.Publish(Mode);
        }

        await Assert.That(Bytes.AreIn(Destination, Content)).IsTrue();
    }

    [Test]
    [Arguments("/ns/o", false, 1, 0)]
    [Arguments("/ns", true, 1, 0)]
    [Arguments("/ns", false, 1, 2)]
    [Arguments("/n", true, 1, 2)]
    [Arguments("/ns/o", false, -60, 2)]
    public async Task What_was_left_is_removed_with_what_it_was_left_of(string source, bool tree, int seconds, int files)
    {
        Leave(Content.AsSpan(0, 2_000_000));
        string key = ObjectUrl.Parse("osdf://" + source, new ClientSettings()).Key;
        PartClaim.Remove(_folder, key, tree, DateTimeOffset.UtcNow.AddSeconds(seconds));

        await Assert.That(Files().Length).IsEqualTo(files);
    }

    [Test]
    public async Task A_note_leads_to_no_file_but_a_part()
    {
        string precious = Path.Combine(_folder, "precious");
        File.WriteAllText(precious, "mine");
        Leave(Content.AsSpan(0, 2_000_000));
        string note = Directory.GetFiles(_folder, ".*" + PartClaim.NoteSuffix).Single();
        PartState state = JsonSerializer.Deserialize(File.ReadAllBytes(note), PelicanJson.Default.PartState)!;
        File.WriteAllBytes(note, JsonSerializer.SerializeToUtf8Bytes(
            state with { Holder = new PartHolder("", 1, 1, "precious") }, PelicanJson.Default.PartState));

        PartClaim.Remove(_folder, Url.Key, isTree: false, DateTimeOffset.UtcNow.AddSeconds(1));

        await Assert.That(File.Exists(precious)).IsTrue();
    }

    [Test]
    public async Task What_somebody_goes_on_with_is_not_removed()
    {
        Leave(Content.AsSpan(0, 2_000_000));
        using PartFile part = Open();
        PartClaim.Remove(_folder, Url.Key, isTree: false, DateTimeOffset.UtcNow.AddSeconds(1));

        await Assert.That(Files().Length).IsEqualTo(2);
    }

    [Test]
    public async Task What_was_verified_stays_when_it_cannot_get_its_name()
    {
        Directory.CreateDirectory(Destination);
        using (PartFile part = Open())
        {
            part.Append(Content);
            part.Remember(Source);
            Assert.Throws<PelicanException>(() => part.Publish(Mode));
        }

        Directory.Delete(Destination);
        using PartFile again = Open();
        await Assert.That(again.Length).IsEqualTo(Size);
    }

    private PartFile Open() => PartFile.Open(Destination, Url, Mode);

    private PartFile OpenByName() => PartFile.Open(Destination, Url, Mode, byName: true);

    private static byte[] Crc32c(byte[] content)
    {
        using Crc32cChecksum checksum = new();
        checksum.Append(content);
        return checksum.Value();
    }

    private void Publish()
    {
        using PartFile part = Open();
        part.Append(Content);
        part.Publish(Mode);
    }

    /// <summary>Leaves a part as an interrupted run does.</summary>
    private string Leave(ReadOnlySpan<byte> bytes, bool byName = false)
    {
        using PartFile part = byName ? OpenByName() : Open();
        part.Append(bytes);
        part.Remember(Source);
        return part.Path;
    }

    private string PartPath(bool create = false)
    {
        if (!create)
        {
            return Directory.GetFiles(_folder, ".*.pelican-part").Single();
        }

        using PartFile part = Open();
        return part.Path;
    }

    private string Note(bool create = false) => PartPath(create) + ".json";

    private static async Task<long> BlockBytesAsync(string path, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("stat", ["-c", "%b", path]) { RedirectStandardOutput = true };
        using Process stat = Process.Start(start)!;
        string blocks = await stat.StandardOutput.ReadToEndAsync(cancellationToken);
        return 512 * long.Parse(blocks, CultureInfo.InvariantCulture);
    }

    private string[] Files() => [.. Directory.GetFileSystemEntries(_folder).Select(path => Path.GetFileName(path))];

    private static string Md5(ReadOnlySpan<byte> bytes)
    {
        using Checksum checksum = Checksum.Create(ChecksumAlgorithm.Md5);
        checksum.Append(bytes);
        return Convert.ToHexString(checksum.Value());
    }
}
