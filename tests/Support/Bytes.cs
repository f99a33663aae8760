namespace Pelican.Tests.Support;

/// <summary>Contents for objects.</summary>
internal static class Bytes
{
    /// <summary>Bytes that look random and are the same in every run.</summary>
    public static byte[] Random(int length, int seed = 7)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Whether a file has exactly these bytes.</summary>
    public static bool AreIn(string file, byte[] content) => File.ReadAllBytes(file).AsSpan().SequenceEqual(content);
}
