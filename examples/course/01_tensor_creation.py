import numpy as np
import pytensor as torch

# 1. Direct from data
data = [[1, 2], [3, 4]]
x_data = torch.tensor(data)

# 2. From a NumPy array
np_array = np.array(data)
x_np = torch.from_numpy(np_array)

# 3. From another tensor
x_ones = torch.ones_like(x_data)     # retains the properties of x_data

x_rand = torch.rand_like(x_data, dtype=torch.float)     # overrides the datatype of x_data

shape = (2,3,)

rand_tensor = torch.rand(shape)
ones_tensor = torch.ones(shape)
zeros_tensor = torch.zeros(shape)
