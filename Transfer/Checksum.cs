using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Pelican.Transfer;

/// <summary>A digest being computed over the bytes of an object, in order.</summary>
internal abstract class Checksum : IDisposable
{
    /// <summary>Which digest it is.</summary>
    public abstract ChecksumAlgorithm Algorithm { get; }

    /// <summary>Starts a digest.</summary>
    public static Checksum Create(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Crc32c => new Crc32cChecksum(),
        ChecksumAlgorithm.Adler32 => new Adler32Checksum(),
        ChecksumAlgorithm.Crc32 => new Crc32Checksum(),
#pragma warning disable CA5350, CA5351 // What servers offer; a guard against accidents, not against an attacker.
        ChecksumAlgorithm.Md5 => new CryptographicChecksum(algorithm, HashAlgorithmName.MD5),
        _ => new CryptographicChecksum(algorithm, HashAlgorithmName.SHA1),
#pragma warning restore CA5350, CA5351
    };

    /// <summary>Name in <c>Want-Digest</c> and <c>Digest</c>, and on the command line.</summary>
    public static string WireName(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Crc32c => "crc32c",
        ChecksumAlgorithm.Adler32 => "adler32",
        ChecksumAlgorithm.Md5 => "md5",
        ChecksumAlgorithm.Crc32 => "crc32",
        _ => "sha",
    };

    /// <summary>Length of a value in bytes.</summary>
    public static int Length(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => 16,
        ChecksumAlgorithm.Sha1 => 20,
        _ => 4,
    };

    /// <summary>Takes the next bytes in.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The digest of what was taken in, big-endian; more may be appended after.</summary>
    public abstract byte[] Value();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>The digest of a whole file.</summary>
    public static byte[] OfFile(string path, ChecksumAlgorithm algorithm, CancellationToken cancellationToken) =>
        OfFile(path, long.MaxValue, algorithm, cancellationToken);

    /// <summary>The same of its first bytes.</summary>
    public static byte[] OfFile(string path, long length, ChecksumAlgorithm algorithm, CancellationToken cancellationToken)
    {
        using Checksum checksum = Create(algorithm);
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        checksum.AppendFrom(file, length, cancellationToken);
        return checksum.Value();
    }

    /// <summary>Takes in up to <paramref name="length"/> bytes of a file.</summary>
    /// <returns>The bytes taken in.</returns>
    public long AppendFrom(FileStream file, long length, CancellationToken cancellationToken)
    {
        // From the pool: of a tree there are many small files.
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1024 * 1024);
        try
        {
            long done = 0;
            while (done < length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, length - done));
                if (read == 0)
                {
                    break;
                }

                Append(buffer.AsSpan(0, read));
                done += read;
            }

            return done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>Adler-32 (RFC 1950, section 9).</summary>
internal sealed class Adler32Checksum : Checksum
{
    private const uint Modulus = 65521;

    /// <summary>Bytes after which the sums could exceed 32 bits.</summary>
    private const int Run = 5552;

    private uint _a = 1;
    private uint _b;

    public override ChecksumAlgorithm Algorithm => ChecksumAlgorithm.Adler32;

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int count = Math.Min(Run, bytes.Length);
            foreach (byte value in bytes[..count])
            {
                _a += value;
                _b += _a;
            }

            _a %= Modulus;
            _b %= Modulus;
            bytes = bytes[count..];
        }
    }

    public override byte[] Value()
    {
        byte[] value = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(value, (_b << 16) | _a);
        return value;
    }
}

/// <summary>CRC-32 of ISO 3309, from the library.</summary>
internal sealed class Crc32Checksum : Checksum
{
    private readonly System.IO.Hashing.Crc32 _crc = new();

    public override ChecksumAlgorithm Algorithm => ChecksumAlgorithm.Crc32;

    public override void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);

    public override byte[] Value()
    {
        byte[] value = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(value, _crc.GetCurrentHashAsUInt32());
        return value;
    }
}

/// <summary>MD5 and SHA-1, from the platform.</summary>
internal sealed class CryptographicChecksum(ChecksumAlgorithm algorithm, HashAlgorithmName name) : Checksum
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(name);

    public override ChecksumAlgorithm Algorithm => algorithm;

    public override void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    public override byte[] Value() => _hash.GetCurrentHash();

    public override void Dispose()
    {
        _hash.Dispose();
        base.Dispose();
    }
}
