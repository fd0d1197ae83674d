namespace Federated.Privacy.Numerics;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations: accurate to rounding, for up to a few hundred rows.</summary>
/// <remarks>Golub, Van Loan, "Matrix Computations", 4th ed., §8.5. Cost: O(d³) a sweep, about eight sweeps.</remarks>
internal static class SymmetricEigen
{
    /// <param name="matrix">d×d, symmetric; overwritten, its diagonal by the eigenvalues.</param>
    /// <returns>Row i is the unit eigenvector of matrix[i][i].</returns>
    public static double[][] Decompose(double[][] matrix)
    {
        var d = matrix.Length;
        var vectors = Enumerable.Range(0, d).Select(i => Enumerable.Range(0, d).Select(j => i == j ? 1.0 : 0).ToArray()).ToArray();
        for (var sweep = 0; sweep < 60 && OffDiagonal(matrix) > 0; sweep++)
        {
            for (var p = 0; p < d - 1; p++)
            {
                for (var q = p + 1; q < d; q++)
                {
                    Rotate(matrix, vectors, p, q);
                }
            }
        }

        return vectors;
    }

    private static void Rotate(double[][] matrix, double[][] vectors, int p, int q)
    {
        var entry = matrix[p][q];
        if (Math.Abs(entry) <= 1e-18 * (Math.Abs(matrix[p][p]) + Math.Abs(matrix[q][q])))
        {
            matrix[p][q] = matrix[q][p] = 0;
            return;
        }

        // tan of the angle that makes the entry zero, the smaller of two
        var theta = (matrix[q][q] - matrix[p][p]) / (2 * entry);
        var t = Math.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var c = 1 / Math.Sqrt((t * t) + 1);
        var s = t * c;
        for (var k = 0; k < matrix.Length; k++)
        {
            (matrix[k][p], matrix[k][q]) = ((c * matrix[k][p]) - (s * matrix[k][q]), (s * matrix[k][p]) + (c * matrix[k][q]));
        }

        for (var k = 0; k < matrix.Length; k++)
        {
            (matrix[p][k], matrix[q][k]) = ((c * matrix[p][k]) - (s * matrix[q][k]), (s * matrix[p][k]) + (c * matrix[q][k]));
            (vectors[p][k], vectors[q][k]) = ((c * vectors[p][k]) - (s * vectors[q][k]), (s * vectors[p][k]) + (c * vectors[q][k]));
        }
    }

    private static double OffDiagonal(double[][] matrix)
    {
        double sum = 0;
        for (var i = 0; i < matrix.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                sum += Math.Abs(matrix[i][j]);
            }
        }

        return sum;
    }
}
