using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ChecksumTests
{
    [Test]
    [Arguments("crc32c", "", "00000000")]
    [Arguments("crc32c", "123456789", "e3069283")]
    [Arguments("adler32", "", "00000001")]
    [Arguments("adler32", "123456789", "091e01de")]
    [Arguments("crc32", "", "00000000")]
    [Arguments("crc32", "123456789", "cbf43926")]
    [Arguments("md5", "", "d41d8cd98f00b204e9800998ecf8427e")]
    [Arguments("md5", "123456789", "25f9e794323b453885f5181f1b624d0b")]
    [Arguments("sha", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [Arguments("sha", "123456789", "f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    public async Task Known_bytes_have_known_values(string name, string text, string expected)
    {
        ChecksumAlgorithm algorithm = DigestHeader.Algorithm(name)!.Value;
        using Checksum checksum = Checksum.Create(algorithm);
        checksum.Append(System.Text.Encoding.ASCII.GetBytes(text));

        await Assert.That(checksum.Algorithm).IsEqualTo(algorithm);
        await Assert.That(Convert.ToHexStringLower(checksum.Value())).IsEqualTo(expected);
        await Assert.That(checksum.Value().Length).IsEqualTo(Checksum.Length(algorithm));
    }

    [Test]
    public async Task Adler32_survives_the_largest_sums()
    {
        using Checksum checksum = Checksum.Create(ChecksumAlgorithm.Adler32);
        byte[] all = new byte[1_000_000];
        Array.Fill(all, byte.MaxValue);
        checksum.Append(all);

        // b = n + 255 n (n + 1) / 2, a = 1 + 255 n, both modulo 65521.
        const ulong N = 1_000_000;
        uint expected = (uint)((((N + (255 * N * (N + 1) / 2)) % 65521) << 16) | ((1 + (255 * N)) % 65521));
        await Assert.That(Convert.ToHexStringLower(checksum.Value())).IsEqualTo(expected.ToString("x8"));
    }

    [Test]
    [Arguments("crc32c")]
    [Arguments("adler32")]
    [Arguments("crc32")]
    [Arguments("md5")]
    [Arguments("sha")]
    public async Task Pieces_make_the_same_value_as_the_whole(string name)
    {
        ChecksumAlgorithm algorithm = DigestHeader.Algorithm(name)!.Value;
        byte[] content = Bytes.Random(300_000);
        using Checksum whole = Checksum.Create(algorithm);
        whole.Append(content);
        using Checksum pieces = Checksum.Create(algorithm);
        Random random = new(3);
        for (int at = 0; at < content.Length;)
        {
            int length = Math.Min(random.Next(0, random.Next(2) == 0 ? 20 : 20_000), content.Length - at);
            pieces.Append(content.AsSpan(at, length));
            pieces.Value();
            at += length;
        }

        await Assert.That(Convert.ToHexString(pieces.Value())).IsEqualTo(Convert.ToHexString(whole.Value()));
    }

    [Test]
    [Arguments(12_287)]
    [Arguments(12_288)]
    [Arguments(12_289)]
    [Arguments(50_001)]
    public async Task Crc32c_in_lanes_is_that_of_the_single_bytes(int length)
    {
        byte[] content = Bytes.Random(length);
        using Crc32cChecksum whole = new();
        whole.Append(content);
        using Crc32cChecksum single = new();
        for (int i = 0; i < content.Length; i++)
        {
            single.Append(content.AsSpan(i, 1));
        }

        await Assert.That(whole.Save()).IsEqualTo(single.Save());
    }

    [Test]
    public async Task What_was_taken_in_since_a_mark_can_be_forgotten()
    {
        using Crc32cChecksum checksum = new();
        checksum.Append("12345"u8);
        uint mark = checksum.Save();
        checksum.Append("wrong"u8);
        checksum.Restore(mark);
        checksum.Append("6789"u8);

        await Assert.That(Convert.ToHexStringLower(checksum.Value())).IsEqualTo("e3069283");

        checksum.Reset();

        await Assert.That(Convert.ToHexStringLower(checksum.Value())).IsEqualTo("00000000");
    }

    [Test]
    [Arguments(0)]
    [Arguments(9)]
    [Arguments(3_000_001)]
    public async Task A_file_has_the_value_of_its_bytes(int length)
    {
        byte[] content = Bytes.Random(length);
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content);
            using Checksum checksum = Checksum.Create(ChecksumAlgorithm.Crc32c);
            checksum.Append(content);

            byte[] value = Checksum.OfFile(path, ChecksumAlgorithm.Crc32c, CancellationToken.None);

            await Assert.That(Convert.ToHexString(value)).IsEqualTo(Convert.ToHexString(checksum.Value()));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task A_wire_name_names_its_algorithm()
    {
        foreach (ChecksumAlgorithm algorithm in Enum.GetValues<ChecksumAlgorithm>())
        {
            await Assert.That(DigestHeader.Algorithm(Checksum.WireName(algorithm))).IsEqualTo(algorithm);
        }
    }
}
